import type { WireNode, WireSwarm } from "../../client/wire.ts";
import { isSameIssuer } from "../node/tls-status.ts";

/** Nodes named at most; the rest are counted. */
const NAMED_MAX = 5;

/** How far a swarm's move to another root CA has come. */
export interface RotationProgress {
  readonly done: boolean;
  readonly text: string;
}

/** Judges by what each node has: first its certificate is renewed, then the old root is dropped. Source: docker/cli, RootRotationProgress. */
export function rotationProgress(swarm: WireSwarm, nodes: readonly WireNode[]): RotationProgress {
  const wanted = swarm.TLSInfo;
  const hasCertificate = ({ Description }: WireNode) => isSameIssuer(Description?.TLSInfo, wanted);
  const trustsNewRoot = ({ Description }: WireNode) =>
    Description?.TLSInfo?.TrustRoot === wanted?.TrustRoot;
  if (swarm.RootRotationInProgress === true || !nodes.every(hasCertificate)) {
    return {
      done: false,
      text: describe("have a certificate of the new CA", nodes, hasCertificate),
    };
  }
  const text = describe("trust the new CA alone", nodes, trustsNewRoot);
  return { done: nodes.every(trustsNewRoot), text };
}

function describe(
  what: string,
  nodes: readonly WireNode[],
  isMoved: (node: WireNode) => boolean,
): string {
  const behind = nodes.filter((node) => !isMoved(node));
  const count = `${nodes.length - behind.length} of ${nodes.length} nodes ${what}`;
  const names = behind.slice(0, NAMED_MAX).map(nameOf);
  const more = behind.length - names.length;
  if (names.length === 0) return count;
  return `${count}; waiting for ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** A node that is down keeps all others waiting: the user must know what to do about it. */
function nameOf({ ID, Description, Status }: WireNode): string {
  const name = Description?.Hostname ?? ID;
  return Status.State === "down"
    ? `${name} (down: bring it back, or 'muster node rm ${ID}')`
    : name;
}
