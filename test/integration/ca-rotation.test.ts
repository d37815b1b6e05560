import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { expect } from "chai";
import { systemClock } from "../../core/system-clock.ts";
import {
  issueCertificate,
  newCertificateRequest,
  newRootCa,
} from "../../manager/ca/certificates.ts";
import { splitPem } from "../../manager/ca/pem.ts";
import type { UpdateClusterRequest } from "../../proto/gen/control.ts";
import {
  ContainerSpec,
  NodeAvailability,
  NodeRole,
  ServiceSpec,
  TaskSpec,
} from "../../proto/gen/objects.ts";
import { eventually } from "../support/eventually.ts";
import { failureOf } from "../support/failure-of.ts";
import { connectSecure, HTTP2_PREFACE, HTTP2_SETTINGS } from "../support/raw-peer.ts";
import { TestSwarmNode } from "../support/test-swarm-node.ts";

const MOVED_MS = 15_000;

/** The subject key of whoever signed the certificate a server shows to new connections. */
async function servedBy(addr: string, roots: readonly string[]): Promise<number> {
  const [host, port] = addr.split(":");
  const chainOf = (ca: string) =>
    new Promise<boolean>((resolve) => {
      const socket = connect({ host, port: Number(port), ca, servername: "swarm-manager" });
      socket.once("secureConnect", () => {
        resolve(true);
        socket.destroy();
      });
      socket.once("error", () => resolve(false));
    });
  const answers = await Promise.all(roots.map(chainOf));
  return answers.lastIndexOf(true);
}

describe("integration: the swarm moves to another CA", function () {
  this.timeout(60_000);

  let first: TestSwarmNode;
  let second: TestSwarmNode;
  let worker: TestSwarmNode;
  let nodes: TestSwarmNode[];

  beforeEach(async () => {
    nodes = await Promise.all([1, 2, 3].map(() => TestSwarmNode.start(systemClock)));
    [first, second, worker] = nodes as [TestSwarmNode, TestSwarmNode, TestSwarmNode];
    await first.init();
    await second.join(first, "manager");
    await worker.join(first, "worker");
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.remove()));
  });

  const cluster = (through = first) => through.manager.control.getCluster();

  async function rotate(more: Partial<UpdateClusterRequest> = {}, through = first): Promise<void> {
    const { meta, spec } = await cluster(through);
    if (spec === undefined) throw new Error("the swarm has no spec");
    const isGiven = more.signingCaCert !== undefined;
    await through.manager.control.updateCluster({
      version: meta?.version ?? 0,
      spec: { ...spec, forceRotate: (spec.forceRotate ?? 0) + (isGiven ? 0 : 1) },
      rotateWorkerToken: false,
      rotateManagerToken: false,
      rotateUnlockKey: false,
      ...more,
    });
  }

  /** Resolves when the root has changed and no node trusts the old one. @returns the new root. */
  async function untilMoved(old: string, through = first): Promise<string> {
    const root = async () => (await cluster(through)).rootCa;
    await eventually(
      "the root is another",
      async () => (await root())?.certPem !== old && (await root())?.rotation === undefined,
      MOVED_MS,
    );
    const next = (await root())?.certPem ?? "";
    await eventually(
      "every node trusts the new root alone",
      () =>
        nodes.every(({ certificate }) => {
          const [leaf = ""] = splitPem(certificate.certPem);
          const signer = new X509Certificate(next).publicKey;
          return certificate.rootPem === next && new X509Certificate(leaf).verify(signer);
        }),
      MOVED_MS,
    );
    return next;
  }

  const rootOf = async (through = first) => (await cluster(through)).rootCa?.certPem ?? "";

  it("with everything running on, and tokens that name it", async () => {
    const task = TaskSpec.create({ container: ContainerSpec.create({ image: "nginx:1" }) });
    const mode = { $case: "replicated" as const, value: { replicas: 3 } };
    await first.manager.control.createService(ServiceSpec.create({ name: "web", task, mode }));
    const running = () => nodes.flatMap((node) => node.containers.list().map(({ id }) => id));
    await eventually("three run", () => running().length === 3, MOVED_MS);
    const before = running();

    const [old, oldToken] = [await rootOf(), (await cluster()).rootCa?.workerToken ?? ""];
    await rotate();
    const next = await untilMoved(old);
    expect(running()).to.deep.equal(before);
    for (const { addr } of [first, second]) expect(await servedBy(addr, [old, next])).to.equal(1);

    const newcomer = await TestSwarmNode.start(systemClock);
    nodes.push(newcomer);
    const availability = NodeAvailability.ACTIVE;
    const options = { availability, listenAddr: newcomer.addr, advertiseAddr: newcomer.addr };
    const join = { ...options, remoteAddrs: [first.addr], joinToken: oldToken };
    expect((await failureOf(newcomer.swarm.join(join))).message).to.match(
      /^remote CA does not match fingerprint/,
    );
    await newcomer.join(first, "manager");
    expect(newcomer.certificate.rootPem).to.equal(next);
  });

  it("and whoever came in by the old root must go, though its certificate holds", async () => {
    const { id: clusterId = "", rootCa } = first.manager.store.view().cluster ?? {};
    if (rootCa === undefined) throw new Error("the swarm has no CA");
    // What somebody could make who got hold of the old root's key.
    const { csr, keyPem } = await newCertificateRequest();
    const identity = { nodeId: worker.nodeId, role: NodeRole.MANAGER, clusterId };
    const validity = { nowMs: systemClock.nowMs(), validityMs: 3_600_000 };
    const certPem = await issueCertificate(rootCa, csr, identity, validity);
    const forged = { key: keyPem, cert: certPem };
    const peer = await connectSecure(first.addr, forged);
    peer.socket.write(Buffer.concat([HTTP2_PREFACE, HTTP2_SETTINGS]));
    let isEnded = false;
    void peer.ended.then(() => {
      isEnded = true;
    });
    const sessions = () => worker.lines.filter(isSession).length;
    const isSession = ({ message }: { readonly message: string }) =>
      message === "in session with a manager";
    const before = sessions();

    await rotate();
    await untilMoved(rootCa.certPem);
    await eventually("the forger is out", () => isEnded, MOVED_MS);
    await eventually("the worker is in again", () => sessions() > before, MOVED_MS);
    const again = await connectSecure(first.addr, forged);
    again.socket.write(Buffer.concat([HTTP2_PREFACE, HTTP2_SETTINGS]));
    await eventually("a new connection of the forger is a stranger's", () =>
      first.lines.some(
        ({ message, claimedNodeId }) =>
          message.startsWith("a certificate is not accepted") && claimedNodeId === worker.nodeId,
      ),
    );
    again.close();
  });

  it("and TLS stays as new as it was", async () => {
    const ask = () => connectSecure(first.addr, { maxVersion: "TLSv1.2" });
    const refusalOf = async () => {
      try {
        (await ask()).close();
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
      return "none";
    };
    expect(await refusalOf()).to.match(/protocol version/);
    const old = await rootOf();
    await rotate();
    await untilMoved(old);
    expect(await refusalOf()).to.match(/protocol version/);
  });

  it("shows no key to those who ask", async () => {
    await worker.stop();
    await rotate();
    const { rootCa } = await cluster();
    expect(rootCa?.keyPem).to.equal("");
    expect(rootCa?.rotation?.keyPem).to.equal("");
  });

  it("when the last node is back, or removed; and takes newcomers meanwhile", async () => {
    const old = await rootOf();
    await worker.stop();
    await rotate();
    const isMoved = (one: TestSwarmNode) => splitPem(one.certificate.rootPem).length === 2;
    await eventually("both managers have moved", () => [first, second].every(isMoved), MOVED_MS);
    const newcomer = await TestSwarmNode.start(systemClock);
    nodes.push(newcomer);
    await newcomer.join(second, "worker");
    expect(isMoved(newcomer)).to.equal(true);
    expect((await cluster()).rootCa?.rotation).to.not.equal(undefined);
    await worker.restart();
    await untilMoved(old);
  });

  it("under another leader, when the one it began with is gone", async () => {
    const old = await rootOf();
    const third = await TestSwarmNode.start(systemClock);
    nodes.push(third);
    await third.join(first, "manager");
    await worker.stop();
    await rotate({}, second);
    await eventually("a move is under way", async () => {
      return (await cluster(second)).rootCa?.rotation !== undefined;
    });
    const leader = [first, second, third].find(
      (one) => one.manager.replicatedLog.leadership().isLeader,
    );
    if (leader === undefined) throw new Error("nobody leads");
    await leader.stop();
    const other = leader === second ? third : second;
    await worker.restart();
    await eventually(
      "the worker has moved under the new leader",
      () => splitPem(worker.certificate.rootPem).length === 2,
      MOVED_MS,
    );
    await leader.restart();
    await untilMoved(old, other);
  });

  it("to the last of several that were asked for", async () => {
    const old = await rootOf();
    await worker.stop();
    await rotate();
    const isMoved = (one: TestSwarmNode) => splitPem(one.certificate.rootPem).length === 2;
    await eventually("both managers have moved", () => [first, second].every(isMoved), MOVED_MS);
    const wanted = await newRootCa(systemClock.nowMs());
    await rotate({ signingCaCert: wanted.certPem, signingCaKey: wanted.keyPem });
    await worker.restart();
    const next = await untilMoved(old);
    expect(next).to.equal(new X509Certificate(wanted.certPem).toString());
  });

  it("not at all when it is called off", async () => {
    const old = await rootOf();
    await worker.stop();
    await rotate();
    const isMoved = (one: TestSwarmNode) => splitPem(one.certificate.rootPem).length === 2;
    await eventually("both managers have moved", () => [first, second].every(isMoved), MOVED_MS);
    const keyPem = first.manager.store.view().cluster?.rootCa?.keyPem ?? "";
    await rotate({ signingCaCert: old, signingCaKey: keyPem });
    await worker.restart();
    await eventually(
      "all trust the old root alone",
      () => nodes.every(({ certificate }) => certificate.rootPem === old),
      MOVED_MS,
    );
    expect((await cluster()).rootCa).to.deep.include({ certPem: old, rotation: undefined });
  });

  it("not to a CA that cannot sign", async () => {
    const old = await cluster();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const keyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const other = await newRootCa(systemClock.nowMs());
    const wrongKey = rotate({ signingCaCert: other.certPem, signingCaKey: keyPem });
    expect((await failureOf(wrongKey)).message).to.match(/the key is not the certificate's/);
    expect(await cluster()).to.deep.equal(old);
  });
});
