import { status } from "@grpc/grpc-js";
import { expect } from "chai";
import { systemClock } from "../../core/system-clock.ts";
import { requestCertificate } from "../../manager/ca/ca-client.ts";
import { newCertificateRequest } from "../../manager/ca/certificates.ts";
import { MANAGER_CHANNEL_OPTIONS, NodeCredentials } from "../../manager/ca/credentials.ts";
import { JOIN_RATE, MESSAGE_RATE, SESSION_RATE } from "../../manager/rpc/limits.ts";
import { REFUSALS_BURST } from "../../manager/rpc/refusal-log.ts";
import {
  IssuedCertificate,
  RenewCertificateRequest,
  RenewExpiredRequest,
} from "../../proto/gen/ca.ts";
import type { LogMessages } from "../../proto/gen/control.ts";
import { LogOptions } from "../../proto/gen/control.ts";
import {
  Hello,
  ManagerMessage,
  PublishedLogs,
  type StatusUpdate,
  type WorkerMessage,
} from "../../proto/gen/dispatcher.ts";
import { NodeAvailability, NodeRole, ServiceSpec, TaskState } from "../../proto/gen/objects.ts";
import { grpcDial } from "../../worker/session/grpc-wire.ts";
import type { Wire } from "../../worker/session/wire.ts";
import { BesiegedManager, PEER } from "../support/besieged-manager.ts";
import { eventually } from "../support/eventually.ts";
import type { LogLine } from "../support/log-lines.ts";
import type { RpcCaller } from "../support/rpc-caller.ts";
import { allRpcMethods } from "../support/rpc-methods.ts";
import { TestSwarmNode } from "../support/test-swarm-node.ts";

/** What a worker may call. A method that is new must be put into one list or the other. */
const OPEN = [
  "/muster.CA/GetRootCertificate",
  "/muster.CA/IssueCertificate",
  "/muster.CA/RenewCertificate",
  "/muster.CA/RenewExpired",
  "/muster.Dispatcher/PublishLogs",
  "/muster.Dispatcher/Session",
  "/muster.Membership/Leave",
];
const CLOSED = [
  "/muster.Control/ApproveNode",
  "/muster.Control/Backup",
  "/muster.Control/Calls",
  "/muster.Control/CreateConfig",
  "/muster.Control/CreateNetwork",
  "/muster.Control/CreateSecret",
  "/muster.Control/CreateService",
  "/muster.Control/GetCluster",
  "/muster.Control/GetConfig",
  "/muster.Control/GetNetwork",
  "/muster.Control/GetNode",
  "/muster.Control/GetSecret",
  "/muster.Control/GetService",
  "/muster.Control/GetTask",
  "/muster.Control/GetUnlockKey",
  "/muster.Control/ListConfigs",
  "/muster.Control/ListNetworks",
  "/muster.Control/ListNodes",
  "/muster.Control/ListSecrets",
  "/muster.Control/ListServices",
  "/muster.Control/ListTasks",
  "/muster.Control/RemoveConfig",
  "/muster.Control/RemoveNetwork",
  "/muster.Control/RemoveNode",
  "/muster.Control/RemoveSecret",
  "/muster.Control/RemoveService",
  "/muster.Control/ServiceLogs",
  "/muster.Control/UpdateCluster",
  "/muster.Control/UpdateConfig",
  "/muster.Control/UpdateNode",
  "/muster.Control/UpdateSecret",
  "/muster.Control/UpdateService",
  "/muster.Membership/JoinManagers",
  "/muster.Raft/InstallSnapshot",
  "/muster.Raft/Messages",
];

const SLOW_MS = 20_000;
const SECRET = "correct horse battery staple";
const CONFIG = "a config that is not for everybody";

describe("integration: a worker that means its swarm no good", function () {
  this.timeout(30_000);
  let under: BesiegedManager;
  let victim: TestSwarmNode;
  let thief: NodeCredentials;
  let asked: RpcCaller;
  let wires: Wire[];
  /** All the manager said to the thief, newest last. */
  let heard: ManagerMessage[];

  before(async () => {
    under = await BesiegedManager.start();
    victim = await TestSwarmNode.start(systemClock);
    await victim.join(under.node, "worker");
    const { control } = under.node.manager;
    const secret = await control.createSecret({ name: "key", labels: {} }, Buffer.from(SECRET));
    const config = await control.createConfig({ name: "file", labels: {} }, Buffer.from(CONFIG));
    const file = { name: "x", uid: "0", gid: "0", mode: 0o444 };
    await control.createService(
      serviceOn(victim.nodeId, "held", {
        secrets: [{ secretId: secret.id, secretName: "key", file }],
        configs: [{ configId: config.id, configName: "file", file }],
      }),
    );
    await eventually("the victim runs it", () => stateOf("held") === TaskState.RUNNING);
  });
  after(async () => {
    await victim?.remove();
    await under?.stop();
  });
  beforeEach(async () => {
    const { workerToken: token } = under.rootCa;
    const join = { addr: under.addr, token, availability: NodeAvailability.ACTIVE };
    thief = new NodeCredentials(await requestCertificate(join));
    await under.isAtRest(thief.identity.nodeId);
    asked = under.callerWith(thief.toManager());
    wires = [];
    heard = [];
  });
  afterEach(async () => {
    for (const wire of wires) wire.close();
    const { nodeId } = thief.identity;
    const isGone = () => under.node.manager.control.removeNode(nodeId, true);
    await isGone();
  });

  const findTask = (service: string) => {
    const found = under.view.services.byName(service) ?? expect.fail(`no service ${service}`);
    return [...under.view.tasks.values()].find(({ serviceId }) => serviceId === found.id);
  };
  const taskOf = (service: string) => findTask(service) ?? expect.fail(`${service} has no task`);
  const stateOf = (service: string) => findTask(service)?.status.state;
  const welcomes = () => heard.filter(({ kind }) => kind?.$case === "welcome").length;
  /** Opens a session as the thief; resolves when it is welcome. */
  const openSession = async (hello: Partial<Hello> = {}) => {
    let ended: string | undefined;
    const earlier = welcomes();
    const dial = grpcDial(() => thief.toManager(), MANAGER_CHANNEL_OPTIONS);
    const wire = dial(under.addr, {
      onMessage: (message) => void heard.push(message),
      onEnd: (reason) => {
        ended ??= reason.message;
      },
    });
    wires.push(wire);
    wire.send({ $case: "hello", value: Hello.fromPartial({ addr: "192.0.2.66", ...hello }) });
    await eventually("it is welcome", () => welcomes() > earlier || ended !== undefined);
    return { wire, ended: () => ended };
  };
  const report = (wire: Wire, ...statuses: StatusUpdate["statuses"]) => {
    const sequence = heard.filter(({ kind }) => kind?.$case === "statusAck").length + 1;
    wire.send({ $case: "statusUpdate", value: { sequence, statuses } });
    const isAcked = ({ kind }: ManagerMessage) =>
      kind?.$case === "statusAck" && kind.value.sequence === sequence;
    return eventually("it is acknowledged", () => heard.some(isAcked));
  };
  const entry = (taskId: string, state: number, more: object = {}) => ({
    taskId,
    status: { state: state as TaskState, timestampMs: 2 ** 50, message: "", err: "", ...more },
  });
  const ofThief = ({ nodeId }: LogLine) => nodeId === thief.identity.nodeId;

  it("calls every method it may not: each is refused before it does anything", async () => {
    const paths = (await allRpcMethods()).map(({ path }) => path);
    expect(paths, "each method is in one of the lists").to.have.members([...OPEN, ...CLOSED]);
    under.remember();
    const answers = await Promise.all(CLOSED.map((path) => asked.call(path, [Buffer.alloc(0)])));
    for (const [i, { status: answer, messages }] of answers.entries()) {
      expect(answer.code, CLOSED[i]).to.equal(status.PERMISSION_DENIED);
      expect(answer.details).to.equal(
        `node ${thief.identity.nodeId} may not call ${CLOSED[i]}: its role is swarm-worker`,
      );
      expect(messages).to.deep.equal([]);
    }
    await under.isUnharmed();
    const lines = under.lines.filter(({ message }) => message.includes("may not call"));
    expect(lines.length).to.equal(Math.min(REFUSALS_BURST, CLOSED.length));
    for (const line of lines) {
      expect(line).to.include({ nodeId: thief.identity.nodeId });
      expect(line.peer).to.match(PEER);
    }
  });

  it("is told nothing of what other nodes run: no task, no config, no secret", async () => {
    const { wire } = await openSession({
      // What it would have to serve, if the managers believed it.
      endpointVersions: [...under.view.networks.values()].map(({ id }) => ({
        networkId: id,
        version: 0,
      })),
    });
    await report(wire, entry(taskOf("held").id, TaskState.RUNNING));
    await eventually("it has its whole set", () =>
      heard.some(({ kind }) => kind?.$case === "assignments" && kind.value.last),
    );
    const said = Buffer.concat(heard.map((message) => ManagerMessage.encode(message).finish()));
    const { id, serviceId } = taskOf("held");
    for (const word of [SECRET, CONFIG, id, serviceId]) expect(said.includes(word)).to.equal(false);
  });

  it("is not believed about tasks of others, nor about those there are not", async () => {
    const { wire } = await openSession();
    const held = taskOf("held");
    const states = [TaskState.FAILED, TaskState.COMPLETE, TaskState.SHUTDOWN, TaskState.ORPHANED];
    for (const state of states) {
      await report(wire, entry(held.id, state), entry("no-such-task", state));
    }
    expect(taskOf("held")).to.deep.equal(held);
    const line = await under.logged(
      "it",
      (one) => one.message.startsWith("a node reports on tasks of other nodes") && ofThief(one),
    );
    expect(line).to.include({ peer: "127.0.0.1", tasks: 1 });
  });

  it("cannot move its own tasks back, nor where only managers may", async () => {
    const { wire } = await openSession();
    const { control } = under.node.manager;
    await control.createService(serviceOn(thief.identity.nodeId, "own"));
    await eventually("it is assigned", () => stateOf("own") === TaskState.ASSIGNED);
    const { id } = taskOf("own");
    await report(wire, entry(id, TaskState.RUNNING));
    const illegal = [
      TaskState.NEW,
      TaskState.PENDING,
      TaskState.ASSIGNED,
      TaskState.PREPARING,
      TaskState.REJECTED,
      TaskState.REMOVE,
      TaskState.ORPHANED,
      650,
      -1,
      2 ** 31 - 1,
    ];
    for (const state of illegal) {
      await report(wire, entry(id, state));
      expect(stateOf("own"), String(state)).to.equal(TaskState.RUNNING);
    }
    await report(wire, entry(id, TaskState.FAILED, { err: "x".repeat(100_000) }));
    const failed = under.view.tasks.get(id)?.status;
    expect(failed).to.include({ state: TaskState.FAILED });
    expect(failed?.err).to.have.length(1024);
    await report(wire, entry(id, TaskState.RUNNING));
    expect(under.view.tasks.get(id)?.status.state).to.equal(TaskState.FAILED);
    await control.removeService("own");
  });

  const sayings: readonly {
    readonly name: string;
    readonly hello?: Partial<Hello>;
    readonly next?: NonNullable<WorkerMessage["kind"]>;
    readonly says: RegExp;
  }[] = [
    {
      name: "statuses by the thousand",
      next: {
        $case: "statusUpdate",
        value: { sequence: 1, statuses: Array(1_000).fill({ taskId: "t", status: undefined }) },
      },
      says: /cannot take 1000 statuses: at most 100/,
    },
    {
      name: "a second Hello",
      next: { $case: "hello", value: Hello.create() },
      says: /one Hello, the first message/,
    },
    { name: "an address of nowhere", hello: { addr: "0.0.0.0" }, says: /is no address of a node/ },
    {
      name: "a description without end",
      hello: { description: description({ hostname: "x".repeat(100_000) }) },
      says: /at most 65536 are stored/,
    },
    {
      name: "a name that commands terminals",
      hello: { description: description({ hostname: "\u001b[2J" }) },
      says: /control characters/,
    },
    {
      name: "that it has heard of a later recovery",
      hello: { generation: 7 },
      says: /this manager is of before the recovery/,
    },
  ];
  for (const { name, hello, next, says } of sayings) {
    it(`says what no worker says: ${name}`, async () => {
      const { wire, ended } = await openSession(hello);
      if (next !== undefined) wire.send(next);
      await eventually("its session ends", () => ended() !== undefined);
      expect(ended()).to.match(says);
      if (hello?.generation === undefined) {
        const line = await under.logged("it", (one) => ofThief(one) && says.test(one.message));
        expect(line.peer).to.match(PEER);
      }
      expect(taskOf("held").status.state).to.equal(TaskState.RUNNING);
      await under.isServing();
    });
  }

  it("says next to nothing of itself: lists can still be shown", async () => {
    await openSession({ description: { engineLabels: {} } as never });
    const nodes = await under.node.manager.control.listNodes({});
    expect(nodes.some(({ node }) => node?.id === thief.identity.nodeId)).to.equal(true);
  });

  it("publishes logs of tasks that are another's, and to readers that are none", async () => {
    await openSession();
    const { control } = under.node.manager;
    await control.createService(serviceOn(thief.identity.nodeId, "own"));
    const isOwn = ({ kind }: ManagerMessage) => kind?.$case === "logSubscribe";
    const { wire } = await openSession();
    await eventually("it is assigned", () => stateOf("own") === TaskState.ASSIGNED);
    await report(wire, entry(taskOf("own").id, TaskState.RUNNING));
    const reading = readLogs(under, "own");
    await eventually("it is asked", () => heard.some(isOwn));
    const kind = heard.find(isOwn)?.kind;
    const subscriptionId = kind?.$case === "logSubscribe" ? kind.value.subscriptionId : "";
    const parts = [taskOf("held").id, taskOf("own").id].map((taskId) =>
      PublishedLogs.fromPartial({
        subscriptionId,
        messages: [{ taskId, data: Buffer.from(`of ${taskId}`) }],
      }),
    );
    const ending = PublishedLogs.fromPartial({
      subscriptionId,
      ended: [{ taskId: taskOf("held").id }, { taskId: taskOf("own").id }],
    });
    await asked.call(
      PUBLISH,
      [...parts, ending].map((part) => PublishedLogs.encode(part).finish()),
    );
    expect(await reading).to.deep.equal([`of ${taskOf("own").id}`]);
    const guess = PublishedLogs.encode(PublishedLogs.fromPartial({ subscriptionId: "guess" }));
    const { status: answer } = await asked.call(PUBLISH, [guess.finish()]);
    expect(answer.code).to.equal(status.NOT_FOUND);
    await control.removeService("own");
  });

  it("opens no session after the other without end", async () => {
    let refusal: string | undefined;
    // Some more than the burst: a slow machine gives some back meanwhile.
    for (let i = 0; i < 4 * SESSION_RATE.burst && refusal === undefined; i++) {
      const { ended, wire } = await openSession();
      refusal = ended();
      wire.close();
    }
    expect(refusal).to.match(/opens sessions too often: try again in 1 s/);
    await under.logged("it", (one) => ofThief(one) && one.message.includes("too often"));
    await under.isServing();
  });

  it("talks without end: it is heard more slowly, others as before", async () => {
    const { wire, ended } = await openSession();
    const answered = () => heard.filter(({ kind }) => kind?.$case === "heartbeat").length;
    const sent = 3 * MESSAGE_RATE.burst;
    for (let i = 0; i < sent; i++) wire.send({ $case: "heartbeat", value: {} });
    const isSlowed = (one: LogLine) => ofThief(one) && one.message.includes("too much");
    expect((await under.logged("it", isSlowed)).peer).to.match(PEER);
    await under.isServing();
    const before = answered();
    expect(before).to.be.within(1, sent - 1);
    await eventually("it is heard on", () => answered() > before, SLOW_MS);
    expect(ended()).to.equal(undefined);
    expect(stateOf("held")).to.equal(TaskState.RUNNING);
  });

  it("gets certificates in its own name and role only, and not without end", async () => {
    const renew = async () => {
      const { csr } = await newCertificateRequest();
      return asked.call(RENEW, [RenewCertificateRequest.encode({ csr }).finish()]);
    };
    const { messages } = await renew();
    const { certPem, nodeId } = IssuedCertificate.decode(messages[0] ?? Buffer.alloc(0));
    expect(nodeId).to.equal(thief.identity.nodeId);
    expect(certPem).to.not.equal("");
    const codes = (await Promise.all(Array.from({ length: 2 * JOIN_RATE.burst }, renew))).map(
      (one) => one.status.code,
    );
    expect(new Set(codes)).to.deep.equal(new Set([status.OK, status.RESOURCE_EXHAUSTED]));
  });

  it("gets none in the name of another, by that one's certificate without its key", async () => {
    const { csr } = await newCertificateRequest();
    const stolen = RenewExpiredRequest.encode({
      csr,
      certPem: victim.certificate.certPem,
      atMs: systemClock.nowMs(),
      signature: Buffer.alloc(70, 7),
    });
    const { status: answer } = await asked.call(RENEW_EXPIRED, [stolen.finish()]);
    expect(answer.code).to.equal(status.PERMISSION_DENIED);
    expect(answer.details).to.match(/does not prove to hold its key/);
  });

  it("leaves: nobody else does", async () => {
    const { status: answer } = await asked.call("/muster.Membership/Leave", [Buffer.alloc(0)]);
    expect(answer.code, answer.details).to.equal(status.OK);
    expect(stateOf("held")).to.equal(TaskState.RUNNING);
    const roles = [under.node.nodeId, victim.nodeId].map((id) => under.view.nodes.get(id)?.role);
    expect(roles).to.deep.equal([NodeRole.MANAGER, NodeRole.WORKER]);
    await under.isServing();
  });
});

const PUBLISH = "/muster.Dispatcher/PublishLogs";
const RENEW = "/muster.CA/RenewCertificate";
const RENEW_EXPIRED = "/muster.CA/RenewExpired";

function description(more: object) {
  return Hello.fromPartial({ description: { ...more } }).description as NonNullable<
    Hello["description"]
  >;
}

function serviceOn(nodeId: string, name: string, container: object = {}): ServiceSpec {
  return ServiceSpec.fromPartial({
    name,
    mode: { $case: "replicated", value: { replicas: 1 } },
    task: {
      container: { image: "nginx:1", ...container },
      placement: { constraints: [`node.id==${nodeId}`] },
      restart: { condition: 1 },
    },
  });
}

/** The texts of a service's logs, up to their end. */
async function readLogs({ node }: BesiegedManager, serviceRef: string): Promise<string[]> {
  const options = LogOptions.fromPartial({ stdout: true, stderr: true });
  const signal = new AbortController().signal;
  const texts: string[] = [];
  const parts: AsyncIterable<LogMessages> = node.manager.control.serviceLogs(
    { serviceRef },
    options,
    signal,
  );
  for await (const { messages } of parts) {
    texts.push(...messages.map(({ data }) => Buffer.from(data).toString()));
  }
  return texts;
}
