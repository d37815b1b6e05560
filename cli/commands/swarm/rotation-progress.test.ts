import { expect } from "chai";
import type { WireNode, WireSwarm } from "../../client/wire.ts";
import { rotationProgress } from "./rotation-progress.ts";

const tls = (issuer: string, root: string) => ({
  TrustRoot: root,
  CertIssuerSubject: "CN",
  CertIssuerPublicKey: issuer,
});

function swarm(isMoving: boolean): WireSwarm {
  const info = { TLSInfo: tls("new", isMoving ? "old" : "new"), RootRotationInProgress: isMoving };
  return info as WireSwarm;
}

function node(name: string, issuer: string, root: string, state = "ready"): WireNode {
  const described = { Description: { Hostname: name, TLSInfo: tls(issuer, root) } };
  return { ID: `id-${name}`, Status: { State: state }, ...described } as unknown as WireNode;
}

const CASES: {
  name: string;
  swarm: WireSwarm;
  nodes: WireNode[];
  expected: ReturnType<typeof rotationProgress>;
}[] = [
  {
    name: "names who has no new certificate, and what to do about who is down",
    swarm: swarm(true),
    nodes: [node("a", "new", "old+new"), node("b", "old", "old"), node("c", "old", "old", "down")],
    expected: {
      done: false,
      text: "1 of 3 nodes have a certificate of the new CA; waiting for b, c (down: bring it back, or 'muster node rm id-c')",
    },
  },
  {
    name: "waits while the move is not over, whatever nodes have",
    swarm: swarm(true),
    nodes: [node("a", "new", "old+new")],
    expected: { done: false, text: "1 of 1 nodes have a certificate of the new CA" },
  },
  {
    name: "then waits for the old root to be dropped",
    swarm: swarm(false),
    nodes: [node("a", "new", "new"), node("b", "new", "old+new")],
    expected: { done: false, text: "1 of 2 nodes trust the new CA alone; waiting for b" },
  },
  {
    name: "is done when all trust the new root alone",
    swarm: swarm(false),
    nodes: [node("a", "new", "new"), node("b", "new", "new")],
    expected: { done: true, text: "2 of 2 nodes trust the new CA alone" },
  },
];

describe("cli: progress of a CA rotation", () => {
  for (const { name, swarm, nodes, expected } of CASES) {
    it(name, () => expect(rotationProgress(swarm, nodes)).to.deep.equal(expected));
  }
});
