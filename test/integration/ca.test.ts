import { credentials as grpc, ServerInterceptingCall } from "@grpc/grpc-js";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { systemClock } from "../../core/system-clock.ts";
import { systemRandom } from "../../core/system-random.ts";
import { authorizationInterceptor } from "../../manager/ca/authorization.ts";
import { renewCertificate, requestCertificate } from "../../manager/ca/ca-client.ts";
import { caService } from "../../manager/ca/ca-service.ts";
import { newCertificateRequest } from "../../manager/ca/certificates.ts";
import {
  anonymousToManager,
  MANAGER_CHANNEL_OPTIONS,
  NodeCredentials,
} from "../../manager/ca/credentials.ts";
import { formatJoinToken } from "../../manager/ca/join-token.ts";
import { MemoryLog } from "../../manager/log/memory-log.ts";
import { callUnary, withClient } from "../../manager/rpc/calls.ts";
import { JOIN_RATE } from "../../manager/rpc/limits.ts";
import { listen, type RpcServer } from "../../manager/rpc/server.ts";
import { createChange, updateChange } from "../../manager/store/changes.ts";
import { Proposer } from "../../manager/store/proposer.ts";
import { Store } from "../../manager/store/store.ts";
import { CAClient, CAService } from "../../proto/gen/ca.ts";
import { Cluster, ClusterSpec, NodeAvailability, NodeRole } from "../../proto/gen/objects.ts";
import { failureOf } from "../support/failure-of.ts";
import { TestCa } from "../support/swarm-ca.ts";

function impostorChannel({ certificate }: NodeCredentials, rootPem: string) {
  const { keyPem, certPem } = certificate;
  return grpc.createSsl(Buffer.from(rootPem), Buffer.from(keyPem), Buffer.from(certPem));
}

const TIMEOUT = { timeoutMs: 5_000 };

describe("integration: the swarm's CA over gRPC", () => {
  let ca: TestCa;
  let store: Store;
  let log: MemoryLog;
  let proposer: Proposer;
  let server: RpcServer;
  let addr: string;
  /** Methods called since the start of the test. */
  let called: string[];

  before(async () => {
    ca = await TestCa.make();
    store = new Store();
    log = new MemoryLog(store);
    proposer = new Proposer(log, systemClock);
    const spec = ClusterSpec.create({ name: "default" });
    await proposer.propose([
      createChange("cluster", Cluster.create({ id: ca.clusterId, spec, rootCa: ca.rootCa })),
    ]);
  });

  beforeEach(async () => {
    called = [];
    server = await serve(await ca.node());
    addr = `127.0.0.1:${server.port}`;
  });

  afterEach(() => server.close());

  async function serve(credentials: NodeCredentials, readBarrier = () => log.readBarrier()) {
    const implementation = caService({
      view: () => store.view(),
      proposer,
      readBarrier,
      rootPem: () => credentials.certificate.rootPem,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    const interceptor = authorizationInterceptor(
      { clusterId: ca.clusterId, currentRole: () => "unknown" },
      () => undefined,
    );
    return listen("127.0.0.1:0", [{ definition: CAService, implementation }], {
      identity: credentials.server(),
      onRefused: () => undefined,
      interceptors: [
        (method, call) => {
          called.push(method.path);
          return new ServerInterceptingCall(call);
        },
        interceptor,
      ],
    });
  }

  const join = (token: string, at = addr) =>
    requestCertificate({ addr: at, token, availability: NodeAvailability.PAUSE });

  it("gives a worker's certificate for a worker's token and makes its node", async () => {
    const { identity } = new NodeCredentials(await join(ca.rootCa.workerToken));
    expect(identity).to.include({ role: NodeRole.WORKER, clusterId: ca.clusterId });
    const node = store.view().nodes.get(identity.nodeId);
    expect(node?.role).to.equal(NodeRole.WORKER);
    expect(node?.spec.availability).to.equal(NodeAvailability.PAUSE);
  });

  it("gives a manager's certificate for a manager's token", async () => {
    const { identity } = new NodeCredentials(await join(`${ca.rootCa.managerToken}\n`));
    expect(identity.role).to.equal(NodeRole.MANAGER);
  });

  it("refuses a wrong secret, and leaves no node behind", async () => {
    const nodes = store.view().nodes.size;
    const wrong = ca.rootCa.managerToken.replace(/.{25}$/, "0".repeat(25));
    const error = await failureOf(join(wrong));
    expect(error).to.have.property("code", "PermissionDenied");
    expect(error.message)
      .to.match(/invalid join token/)
      .and.not.include(wrong);
    expect(store.view().nodes.size).to.equal(nodes);
  });

  it("sends nothing secret to a manager of another swarm", async () => {
    const foreign = formatJoinToken(new Uint8Array(32).fill(7), new Uint8Array(16).fill(7));
    const error = await failureOf(join(foreign));
    expect(error.message).to.match(/^remote CA does not match fingerprint/);
    expect(called).to.deep.equal(["/muster.CA/GetRootCertificate"]);
  });

  it("does not send its secret to a worker that claims to be a manager", async () => {
    const worker = await serve(await ca.node({ role: NodeRole.WORKER }));
    const error = await failureOf(join(ca.rootCa.workerToken, `127.0.0.1:${worker.port}`));
    expect(error.message).to.match(/^cannot reach a manager/);
    worker.close();
  });

  it("lets a channel end at the manager it is for, or at any, and at no other", async () => {
    const own = await ca.node();
    const there = await serve(own);
    const ask = async (nodeId: string) => {
      const channel = (await ca.node()).toManager(nodeId);
      const client = new CAClient(`127.0.0.1:${there.port}`, channel, MANAGER_CHANNEL_OPTIONS);
      return withClient(client, () =>
        callUnary(client.getRootCertificate.bind(client), {}, TIMEOUT),
      );
    };
    for (const nodeId of ["", own.identity.nodeId]) {
      expect((await ask(nodeId)).certPem).to.equal(ca.rootCa.certPem);
    }
    expect((await failureOf(ask("another"))).message).to.match(/, expected another/);
    there.close();
  });

  it("names the address where nobody answers", async () => {
    server.close();
    const error = await failureOf(join(ca.rootCa.workerToken));
    expect(error).to.have.property("code", "Unavailable");
    expect(error.message)
      .to.include(`cannot reach a manager at ${addr}`)
      .and.include("ECONNREFUSED");
  });

  it("follows a manager that does not lead to the one that does", async () => {
    const follower = await serve(await ca.node(), () =>
      Promise.reject(
        new ClusterError("Unavailable", "not the leader", { details: { leader: addr } }),
      ),
    );
    const certificate = await join(ca.rootCa.workerToken, `127.0.0.1:${follower.port}`);
    expect(new NodeCredentials(certificate).identity.role).to.equal(NodeRole.WORKER);
    follower.close();
  });

  it("renews by certificate, with the role the node has by then, and the new one is used", async () => {
    const credentials = new NodeCredentials(await join(ca.rootCa.workerToken));
    const { nodeId } = credentials.identity;
    await proposer.propose([updateChange("node", nodeId, { role: NodeRole.MANAGER })]);
    credentials.replace(await renewCertificate([addr], credentials));
    expect(credentials.identity).to.include({ nodeId, role: NodeRole.MANAGER });
    credentials.replace(await renewCertificate([addr], credentials));
  });

  it("renews for nobody without a certificate of this swarm", async () => {
    const { csr } = await newCertificateRequest();
    const foreign = await TestCa.make();
    const impostor = await foreign.node({ clusterId: ca.clusterId });
    // It must accept our server, so it is given our root with its own certificate.
    const channels = [
      anonymousToManager(ca.rootCa.certPem),
      impostorChannel(impostor, ca.rootCa.certPem),
    ];
    for (const channel of channels) {
      const client = new CAClient(addr, channel, MANAGER_CHANNEL_OPTIONS);
      const error = await failureOf(
        withClient(client, () => callUnary(client.renewCertificate.bind(client), { csr }, TIMEOUT)),
      );
      expect(error).to.have.property("code", "Unauthenticated");
    }
  });

  it("does not renew for a node that was removed", async () => {
    const gone = await ca.node({ role: NodeRole.WORKER });
    const error = await failureOf(renewCertificate([addr], gone));
    expect(error.message).to.match(/was removed from the swarm/);
  });

  it("tires of an address that tries too often", async () => {
    const root = anonymousToManager(ca.rootCa.certPem);
    const client = new CAClient(addr, root, MANAGER_CHANNEL_OPTIONS);
    const request = { csr: Buffer.alloc(0), token: "guess", availability: NodeAvailability.ACTIVE };
    const codes = await withClient(client, async () => {
      const tries = Array.from({ length: JOIN_RATE.burst + 3 }, async () => {
        return (await failureOf(callUnary(client.issueCertificate.bind(client), request, TIMEOUT)))
          .code;
      });
      return Promise.all(tries);
    });
    expect(codes.filter((code) => code === "PermissionDenied")).to.have.length(JOIN_RATE.burst);
    expect(codes.slice(-3)).to.deep.equal(Array(3).fill("ResourceExhausted"));
  });
});
