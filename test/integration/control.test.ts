import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { systemClock } from "../../core/system-clock.ts";
import { systemRandom } from "../../core/system-random.ts";
import { authorizationInterceptor } from "../../manager/ca/authorization.ts";
import { anonymousToManager, MANAGER_CHANNEL_OPTIONS } from "../../manager/ca/credentials.ts";
import type { Control } from "../../manager/control/control.ts";
import { controlService } from "../../manager/control/control-service.ts";
import { controlGateway } from "../../manager/control/gateway.ts";
import { LeaderConnection } from "../../manager/control/leader-connection.ts";
import { leaderControl } from "../../manager/control/leader-control.ts";
import { remoteControl } from "../../manager/control/remote-control.ts";
import { MemoryLog } from "../../manager/log/memory-log.ts";
import { listen, type RpcServer } from "../../manager/rpc/server.ts";
import { createChange } from "../../manager/store/changes.ts";
import { Proposer } from "../../manager/store/proposer.ts";
import { Store } from "../../manager/store/store.ts";
import { ControlClient, ControlService, LogMessage, LogOptions } from "../../proto/gen/control.ts";
import {
  Cluster,
  ClusterSpec,
  ContainerSpec,
  EndpointSpec,
  NetworkAttachmentConfig,
  NetworkSpec,
  NodeRole,
  PortConfig,
  ServiceSpec,
  TaskSpec,
} from "../../proto/gen/objects.ts";
import { failureOf } from "../support/failure-of.ts";
import { TestCa } from "../support/swarm-ca.ts";

const LEADER_RAFT_ID = 1;
/** Asked for so many lines, the log breaks off. */
const FAILING_TAIL = 13;

function spec(name: string, more: Partial<TaskSpec> = {}, port?: number): ServiceSpec {
  const container = ContainerSpec.create({ image: "nginx:1" });
  const ports = [PortConfig.create({ targetPort: 80, publishedPort: port ?? 0 })];
  return ServiceSpec.create({
    name,
    task: TaskSpec.create({ container, ...more }),
    mode: { $case: "replicated", value: { replicas: 2 } },
    ...(port === undefined ? {} : { endpoint: EndpointSpec.create({ ports }) }),
  });
}

describe("integration: control from a manager that does not lead", () => {
  let ca: TestCa;
  let server: RpcServer;
  let connection: LeaderConnection;
  let addr: string;
  let control: Control;

  before(async () => {
    ca = await TestCa.make();
    const leader = await ca.node();
    const store = new Store();
    const replicatedLog = new MemoryLog(store);
    const proposer = new Proposer(replicatedLog, systemClock);
    const cluster = Cluster.create({
      id: ca.clusterId,
      spec: ClusterSpec.create({ name: "default" }),
      rootCa: ca.rootCa,
    });
    await proposer.propose([createChange("cluster", cluster)]);
    const local = leaderControl({
      view: () => store.view(),
      stateMachine: store,
      proposer,
      replicatedLog,
      logs: {
        async *read(selector, { tail }) {
          const id = selector.kind === "service" ? selector.serviceId : selector.taskId;
          yield { messages: [LogMessage.create({ serviceId: id, data: Buffer.from("hello") })] };
          if (tail === FAILING_TAIL) throw new ClusterError("Unavailable", "a node is down");
        },
      },
      clock: systemClock,
      random: systemRandom,
      randomBytes,
      log: silentLog,
    });
    const own = { clusterId: ca.clusterId, currentRole: () => "unknown" as const };
    server = await listen(
      "127.0.0.1:0",
      [{ definition: ControlService, implementation: controlService(local) }],
      {
        identity: leader.server(),
        onRefused: () => undefined,
        interceptors: [authorizationInterceptor(own, () => undefined)],
      },
    );
    addr = `127.0.0.1:${server.port}`;
    connection = new LeaderConnection(await ca.node());
    const { nodeId } = leader.identity;
    control = controlGateway({
      local,
      replicatedLog: {
        leadership: () => ({ leaderRaftId: LEADER_RAFT_ID, isLeader: false, term: 1 }),
        onLeadership: () => () => undefined,
        members: () => [{ raftId: LEADER_RAFT_ID, nodeId, addr }],
      },
      connect: (manager) => connection.connect(manager),
      clock: systemClock,
    });
  });

  after(() => {
    connection.close();
    server.close();
  });

  it("creates, finds by name and prefix, updates, rolls back and removes a service", async () => {
    const { service } = await control.createService(spec("web"));
    const id = service?.id ?? "";
    expect((await control.getService("web")).id).to.equal(id);
    expect((await control.getService(id.slice(0, 10))).spec?.name).to.equal("web");

    const version = service?.meta?.version ?? 0;
    const next = spec("web", { forceUpdate: 1 });
    const request = { ref: "web", version, spec: next, rollback: false, authFromPrevious: false };
    const updated = (await control.updateService(request)).service;
    expect(updated).to.deep.include({ revision: 2, spec: next });
    expect(updated?.previousSpec).to.deep.equal(service?.spec);

    const late = await failureOf(control.updateService(request));
    expect(late).to.include({ code: "Aborted", message: "update out of sequence" });

    const again = { ...request, version: updated?.meta?.version ?? 0, rollback: true };
    const back = (await control.updateService(again)).service;
    expect(back?.spec).to.deep.equal(service?.spec);
    await control.removeService("web");
    expect(await failureOf(control.getService("web"))).to.have.property("code", "NotFound");
  });

  it("says in Docker's words what is taken: names and published ports", async () => {
    await control.createService(spec("front", {}, 8080));
    const name = await failureOf(control.createService(spec("front")));
    expect(name).to.have.property("code", "AlreadyExists");
    expect(name.message).to.match(/^name conflicts with an existing object: service front/);
    const port = await failureOf(control.createService(spec("other", {}, 8080)));
    expect(port.message).to.match(/^port '8080.*' is already in use by service 'front'/);
    await control.removeService("front");
  });

  it("resolves networks by name, keeps those in use and frees the others", async () => {
    const network = await control.createNetwork(NetworkSpec.create({ name: "back" }));
    const networks = [NetworkAttachmentConfig.create({ target: "back" })];
    const { service } = await control.createService(spec("api", { networks }));
    expect(service?.spec?.task?.networks[0]?.target).to.equal(network.id);
    const used = await failureOf(control.removeNetwork("back"));
    expect(used.message).to.equal("network back is in use by service api");
    const twice = [...networks, NetworkAttachmentConfig.create({ target: network.id })];
    expect(
      (await failureOf(control.createService(spec("x", { networks: twice })))).message,
    ).to.equal("network back is given twice");
    await control.removeService("api");
    await control.removeNetwork("back");
    expect(await control.listNetworks({})).to.deep.equal([]);
  });

  it("lists more than one message holds", async () => {
    const env = [`FILLER=${"x".repeat(100_000)}`];
    const container = ContainerSpec.create({ image: "nginx:1", env });
    const names = Array.from({ length: 60 }, (_, i) => `many-${i}`);
    await Promise.all(names.map((name) => control.createService(spec(name, { container }))));
    const listed = await control.listServices({ name: ["many-"] });
    expect(listed.map(({ service }) => service?.spec?.name)).to.have.members(names);
    expect(listed[0]).to.include({ runningTasks: 0, desiredTasks: 2 });
    await Promise.all(names.map((name) => control.removeService(name)));
  });

  it("rotates one token and keeps the other; the CA's key stays with the leader", async () => {
    const before = await control.getCluster();
    const after = await control.updateCluster({
      version: before.meta?.version ?? 0,
      spec: before.spec,
      rotateWorkerToken: true,
      rotateManagerToken: false,
      rotateUnlockKey: false,
    });
    expect(after.rootCa?.workerToken)
      .to.match(/^SWMTKN-1-/)
      .and.not.equal(before.rootCa?.workerToken);
    expect(after.rootCa?.managerToken).to.equal(before.rootCa?.managerToken);
    expect(after.rootCa?.workerToken.slice(0, 59)).to.equal(ca.rootCa.workerToken.slice(0, 59));
    expect(after.rootCa?.keyPem).to.equal("");
  });

  it("passes logs on until they end", async () => {
    const { service } = await control.createService(spec("talker"));
    const options = { stdout: true, stderr: true, follow: false, tail: -1, sinceMs: 0, untilMs: 0 };
    const said: string[] = [];
    const { signal } = new AbortController();
    for await (const { messages } of control.serviceLogs(
      { serviceRef: "talker" },
      options,
      signal,
    )) {
      said.push(...messages.map(({ data, serviceId }) => `${serviceId}: ${data}`));
    }
    expect(said).to.deep.equal([`${service?.id}: hello`]);
  });

  it("ends a stream that fails half-way with the reason", async () => {
    const client = new ControlClient(addr, (await ca.node()).toManager(), MANAGER_CHANNEL_OPTIONS);
    const { service } = await control.createService(spec("half"));
    const options = LogOptions.create({ tail: FAILING_TAIL });
    const stream = client.serviceLogs({ serviceRef: service?.id ?? "", taskRef: "", options });
    const ended = new Promise<Error>((resolve) => stream.on("error", resolve));
    stream.resume();
    expect((await ended).message).to.contain("a node is down");
    client.close();
  });

  it("asks no other node than the one that leads", async () => {
    const way = new LeaderConnection(await ca.node());
    const error = await failureOf(way.connect({ nodeId: "somebodyelse", addr }));
    expect(error).to.have.property("code", "Unavailable");
    way.close();
  });

  it("refuses callers without a certificate, of another swarm and workers", async () => {
    const worker = await ca.node({ role: NodeRole.WORKER });
    const stranger = await ca.node({ clusterId: "another" });
    const cases = [
      { channel: anonymousToManager(ca.rootCa.certPem), code: "Unauthenticated" },
      { channel: worker.toManager(), code: "PermissionDenied" },
    ];
    for (const { channel, code } of cases) {
      const client = new ControlClient(addr, channel, MANAGER_CHANNEL_OPTIONS);
      const remote = remoteControl(client);
      expect(await failureOf(remote.getCluster())).to.have.property("code", code);
      expect(await failureOf(remote.listServices({}))).to.have.property("code", code);
      client.close();
    }
    // A certificate of this CA for another swarm refuses our server before it says anything itself.
    const client = new ControlClient(addr, stranger.toManager(), MANAGER_CHANNEL_OPTIONS);
    expect((await failureOf(remoteControl(client).getCluster())).message).to.match(
      /not of this swarm/,
    );
    client.close();
  });
});
