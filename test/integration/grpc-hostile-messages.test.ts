// The library of certificates needs it before anything else.
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { expect } from "chai";
import { newCertificateRequest } from "../../manager/ca/certificates.ts";
import { formatJoinToken } from "../../manager/ca/join-token.ts";
import { splitPem } from "../../manager/ca/pem.ts";
import {
  JOIN_RATE,
  RECEIVED_BYTES_MAX,
  STRANGER_RECEIVED_BYTES_MAX,
} from "../../manager/rpc/limits.ts";
import { REFUSALS_BURST } from "../../manager/rpc/refusal-log.ts";
import { IssueCertificateRequest, IssuedCertificate } from "../../proto/gen/ca.ts";
import {
  CallAnswerBatch,
  CallBatch,
  CreateServiceRequest,
  UpdateNodeRequest,
} from "../../proto/gen/control.ts";
import { NodeRole, NodeSpec, ServiceSpec } from "../../proto/gen/objects.ts";
import { BesiegedManager, PEER } from "../support/besieged-manager.ts";
import { eventually } from "../support/eventually.ts";
import { noise } from "../support/noise.ts";
import type { RpcCaller } from "../support/rpc-caller.ts";
import { allRpcMethods } from "../support/rpc-methods.ts";

const CREATE_SERVICE = "/muster.Control/CreateService";
const UPDATE_NODE = "/muster.Control/UpdateNode";
const LEAVE = "/muster.Membership/Leave";
const JOIN = "/muster.Membership/JoinManagers";
const ISSUE = "/muster.CA/IssueCertificate";

/** Field 999, which no message has, of 127 bytes of which one is there. */
const CUT_OFF = Buffer.from("ba3e7f00", "hex");

describe("integration: hostile messages to a manager", function () {
  this.timeout(30_000);
  let under: BesiegedManager;

  beforeEach(async () => {
    under = await BesiegedManager.start();
  });
  afterEach(async () => under?.stop());

  describe("messages", () => {
    const isRefused = async (
      asked: RpcCaller,
      path: string,
      { message, code, says }: { message: Uint8Array; code: status; says: RegExp },
    ) => {
      const { status: answer } = await asked.call(path, [message]);
      expect(answer.code, `${path}: ${answer.details}`).to.equal(code);
      expect(answer.details).to.match(says);
      const line = await under.logged(path, (one) => one.message === answer.details);
      expect(line.peer).to.match(PEER);
      return line;
    };

    it("of a stranger, larger than any request for a certificate", async () => {
      await isRefused(under.stranger(), ISSUE, {
        message: Buffer.alloc(STRANGER_RECEIVED_BYTES_MAX + 1),
        code: status.RESOURCE_EXHAUSTED,
        says: /larger than 65536 bytes/,
      });
      await under.isUnharmed();
    });

    it("of a node, larger than any message", async () => {
      const line = await isRefused(under.manager(), "/muster.Control/CreateConfig", {
        message: Buffer.alloc(RECEIVED_BYTES_MAX + 1),
        code: status.RESOURCE_EXHAUSTED,
        says: /larger than 4194304 bytes/,
      });
      expect(line.nodeId).to.equal(under.own.identity.nodeId);
      await under.isUnharmed();
    });

    it("that grow when they are unpacked", async () => {
      const bomb = gzipSync(Buffer.alloc(8 * RECEIVED_BYTES_MAX));
      const session = connect(`https://${under.addr}`, {
        ca: under.own.certificate.rootPem,
        cert: under.own.certificate.certPem,
        key: under.own.certificate.keyPem,
        checkServerIdentity: () => undefined,
      });
      const headers = {
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-encoding": "gzip",
      };
      const path = "/muster.Control/CreateConfig";
      const stream = session.request({ ":method": "POST", ":path": path, ...headers });
      const head = Buffer.alloc(5);
      head.writeUInt8(1, 0);
      head.writeUInt32BE(bomb.length, 1);
      stream.end(Buffer.concat([head, bomb]));
      const [answer] = (await once(stream, "response")) as [Record<string, string>];
      session.destroy();
      expect(answer["grpc-status"]).to.equal(String(status.RESOURCE_EXHAUSTED));
      await under.logged("it", ({ nodeId }) => nodeId === under.own.identity.nodeId);
      await under.isUnharmed();
    });

    it("malformed, to every method there is", async () => {
      const asked = under.manager();
      for (const { path } of await allRpcMethods()) {
        const { status: answer } = await asked.call(path, [CUT_OFF]);
        expect(answer.code, `${path}: ${answer.details}`).to.equal(status.INVALID_ARGUMENT);
        expect(answer.details).to.contain(`cannot read a message of ${path}: it is malformed`);
      }
      const line = await under.logged("one", ({ message }) => message.includes("it is malformed"));
      expect(line).to.include({ nodeId: under.own.identity.nodeId });
      await under.isUnharmed();
    });

    it("malformed, in a batch of calls: those beside it are answered", async () => {
      const good = { id: 1, method: "getCluster", request: Buffer.alloc(0) };
      const bad = { id: 2, method: "getNode", request: CUT_OFF };
      const unknown = { id: 3, method: "constructor", request: Buffer.alloc(0) };
      const batch = CallBatch.encode({ calls: [good, bad, unknown] }).finish();
      const { messages } = await under.manager().call("/muster.Control/Calls", [batch]);
      const answers = messages.flatMap((message) => CallAnswerBatch.decode(message).answers);
      const failures = answers.flatMap(({ id, outcome }) =>
        outcome?.$case === "failure" ? [[id, outcome.value.code]] : [],
      );
      expect(answers.map(({ id }) => id)).to.have.members([1, 2, 3]);
      expect(failures).to.have.deep.members([
        [2, status.INVALID_ARGUMENT],
        [3, status.UNIMPLEMENTED],
      ]);
      await under.isUnharmed();
    });

    it("of a manager that would join anew as nobody: it stays a member", async () => {
      const { status: answer } = await under.manager().call(JOIN, [Buffer.alloc(0)]);
      expect(answer.code).to.equal(status.INVALID_ARGUMENT);
      expect(under.node.manager.replicatedLog.members()).to.have.length(1);
      await under.isUnharmed();
    });

    it("none, two, noise: no method is harmed, whatever it says", async () => {
      const asked = under.manager();
      const noises = [[], [Buffer.alloc(0), Buffer.alloc(0)], [noise(64)]];
      const harmless = (await allRpcMethods()).filter(({ path }) => path !== LEAVE);
      const calls = harmless.flatMap(({ path }) =>
        noises.map((noise) => asked.call(path, noise, 2_000)),
      );
      const codes = (await Promise.all(calls)).map(({ status: { code } }) => code);
      expect(codes).to.not.include(status.INTERNAL);
      expect(under.view.services.size).to.equal(0);
      await under.isServing();
    });

    it("to methods that are none", async () => {
      for (const path of ["/muster.Control/Nothing", "/other.Service/Method", "/"]) {
        const { status: answer } = await under.stranger().call(path, [Buffer.alloc(0)]);
        expect(answer.code, path).to.equal(status.UNIMPLEMENTED);
      }
      await under.isUnharmed();
    });
  });

  describe("what a newer version may say", () => {
    /** Field 999, which no message has, and of it what a newer version may mean. */
    const unknownField = Buffer.from("ba3e03616263", "hex");
    const spec = (more: object = {}) =>
      ServiceSpec.fromPartial({
        name: "web",
        mode: { $case: "replicated", value: { replicas: 0 } },
        task: { container: { image: "nginx:1" } },
        ...more,
      });
    const create = (more?: object) => CreateServiceRequest.encode({ spec: spec(more) }).finish();

    it("fields that are unknown are passed over", async () => {
      const request = Buffer.concat([create(), unknownField]);
      const { status: answer } = await under.manager().call(CREATE_SERVICE, [request]);
      expect(answer.code, answer.details).to.equal(status.OK);
      expect(under.view.services.size).to.equal(1);
    });

    it("values that are unknown are not taken for others", async () => {
      const node9 = { ref: under.own.identity.nodeId, version: 0, force: false };
      const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
        [CREATE_SERVICE, create({ endpoint: { mode: 9 } }), /mode: unknown value 9/],
        [CREATE_SERVICE, create({ update: { order: 9 } }), /update-order: unknown value 9/],
        [
          UPDATE_NODE,
          UpdateNodeRequest.encode({
            ...node9,
            spec: NodeSpec.fromPartial({ role: 9 as never }),
          }).finish(),
          /role: unknown value 9/,
        ],
        [
          UPDATE_NODE,
          UpdateNodeRequest.encode({
            ...node9,
            spec: NodeSpec.fromPartial({ role: NodeRole.MANAGER, availability: 9 as never }),
          }).finish(),
          /availability: unknown value 9/,
        ],
      ];
      for (const [path, request, says] of refused) {
        const { status: answer } = await under.manager().call(path, [request]);
        expect(answer.code).to.equal(status.INVALID_ARGUMENT);
        expect(answer.details).to.match(says);
      }
      await under.isUnharmed();
    });
  });

  describe("joins", () => {
    const issue = async (asked: RpcCaller, request: Partial<IssueCertificateRequest>) => {
      const { csr } = await newCertificateRequest();
      const whole = IssueCertificateRequest.fromPartial({ csr, ...request });
      return asked.call(ISSUE, [IssueCertificateRequest.encode(whole).finish()]);
    };

    it("with tokens that are cut off, foreign or of nobody: none is repeated anywhere", async () => {
      const { workerToken, managerToken } = under.rootCa;
      const foreign = formatJoinToken(new Uint8Array(32).fill(7), new Uint8Array(16).fill(7));
      const wrong = [
        "",
        workerToken.slice(0, -1),
        managerToken.slice(0, 40),
        `${managerToken}0`,
        managerToken.toUpperCase(),
        foreign,
        "x".repeat(10_000),
      ];
      const asked = under.stranger();
      for (const token of wrong) {
        const { status: answer } = await issue(asked, { token });
        expect(answer.code).to.equal(status.PERMISSION_DENIED);
        expect(answer.details).to.match(/^invalid join token: the swarm does not know its secret/);
      }
      const line = await under.logged("it", ({ message }) => message === "refused a join");
      expect(line.peer).to.match(PEER);
      const said = JSON.stringify(under.lines);
      for (const token of wrong.filter((one) => one !== "")) expect(said).to.not.contain(token);
      await under.isUnharmed();
    });

    it("with an availability that is unknown", async () => {
      const { status: answer } = await issue(under.stranger(), {
        token: under.rootCa.workerToken,
        availability: 9 as never,
      });
      expect(answer.code).to.equal(status.INVALID_ARGUMENT);
      expect(answer.details).to.equal("cannot join: unknown availability 9");
      await under.isUnharmed();
    });

    it("in the name of a manager, by a worker's token: the name is the CA's to give", async () => {
      const { nodeId, clusterId } = under.own.identity;
      const csr = await craftRequest(`CN=${nodeId}, OU=swarm-manager, O=${clusterId}`);
      const { status: answer, messages } = await issue(under.stranger(), {
        csr,
        token: under.rootCa.workerToken,
      });
      expect(answer.code, answer.details).to.equal(status.OK);
      const issued = IssuedCertificate.decode(messages[0] ?? Buffer.alloc(0));
      expect(issued.nodeId).to.not.equal(nodeId);
      const [leaf = ""] = splitPem(issued.certPem);
      const subject = new X509Certificate(leaf).subject;
      expect(subject).to.equal(`CN=${issued.nodeId}\nOU=swarm-worker\nO=${clusterId}`);
      expect(under.view.nodes.get(issued.nodeId)?.role).to.equal(NodeRole.WORKER);
    });

    it("with a request that cannot be signed: no node is left behind", async () => {
      const { workerToken: token } = under.rootCa;
      const { csr } = await newCertificateRequest();
      const spoilt = Buffer.from(csr);
      spoilt.writeUInt8(spoilt.readUInt8(spoilt.length - 1) ^ 1, spoilt.length - 1);
      const asked = under.stranger();
      for (const one of [Buffer.alloc(0), noise(300), Buffer.alloc(17_000), spoilt]) {
        const { status: answer } = await issue(asked, { csr: one, token });
        expect(answer.code).to.equal(status.INVALID_ARGUMENT);
        expect(answer.details).to.match(/^cannot issue a certificate/);
      }
      await under.logged(
        "it",
        ({ message, peer }) => message === "refused a join" && PEER.test(`${peer}`),
      );
      await under.isUnharmed();
    });

    it("in a flood: so many are looked at, the rest is told to wait, and the log stays short", async () => {
      const asked = under.stranger();
      const tries = Array.from({ length: 6 * JOIN_RATE.burst }, () =>
        issue(asked, { token: "guess" }),
      );
      const answers = (await Promise.all(tries)).map(({ status: answer }) => answer);
      const looked = answers.filter(({ code }) => code === status.PERMISSION_DENIED);
      const rest = answers.filter(({ code }) => code === status.RESOURCE_EXHAUSTED);
      expect(looked.length + rest.length).to.equal(answers.length);
      expect(looked.length).to.be.within(JOIN_RATE.burst, 2 * JOIN_RATE.burst);
      expect(rest[0]?.details).to.match(
        /^too many requests for a certificate from 127\.0\.0\.1: try/,
      );
      const lines = under.lines.filter(({ message }) => message === "refused a join");
      expect(lines.length).to.be.within(REFUSALS_BURST, 2 * REFUSALS_BURST);
      await under.isUnharmed();
    });

    it("with a good token from a host that has tried too often: later", async () => {
      const asked = under.stranger();
      const tries = Array.from({ length: JOIN_RATE.burst }, () => issue(asked, { token: "guess" }));
      await Promise.all(tries);
      const { workerToken: token } = under.rootCa;
      const join = () => issue(asked, { token });
      await eventually("it may", async () => (await join()).status.code === status.OK);
    });
  });
});

/** A request for a certificate in the name of somebody. */
async function craftRequest(name: string): Promise<Buffer> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
  const request = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm });
  return Buffer.from(request.rawData);
}
