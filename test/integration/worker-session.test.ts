import { expect } from "chai";
import { createChange, removeChange, updateChange } from "../../manager/store/changes.ts";
import { createServiceChanges } from "../../manager/store/service-changes.ts";
import { Network, NodeState, Task, TaskState } from "../../proto/gen/objects.ts";
import { eventually } from "../support/eventually.ts";
import { nodeObject, serviceSpec } from "../support/store-fixture.ts";
import { SharedState, TestManager } from "../support/worker/test-manager.ts";
import { TestHost } from "../support/worker/test-worker.ts";

const NODE = "node1";
const NETWORK = "net1";

describe("session between managers and workers", () => {
  let state: SharedState;
  let manager: TestManager;
  let host: TestHost;
  const cleanups: (() => void | Promise<void>)[] = [];

  beforeEach(async () => {
    state = new SharedState();
    manager = await openManager("manager1");
    host = await TestHost.make(NODE);
    cleanups.push(() => host.close());
    const network = { id: NETWORK, spec: { name: "back", driver: "overlay" }, vni: 4097 };
    await state.write(
      createChange("node", nodeObject(NODE, { state: NodeState.UNKNOWN })),
      createChange("network", Network.fromPartial(network)),
      ...createServiceChanges("web", serviceSpec({ name: "web" })),
    );
    manager.dispatcher.lead();
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function openManager(
    nodeId: string,
    leaderAddr?: () => string | undefined,
  ): Promise<TestManager> {
    const opened = await TestManager.open(state, leaderAddr ? { nodeId, leaderAddr } : { nodeId });
    cleanups.push(() => opened.kill());
    return opened;
  }

  async function addTask(id: string, networked = false): Promise<void> {
    const networks = networked ? [{ networkId: NETWORK, addresses: ["10.0.1.5/24"] }] : [];
    const status = { state: TaskState.ASSIGNED, message: "assigned" };
    const placed = { serviceId: "web", slot: 1, nodeId: NODE, revision: 1, status, networks };
    const desired = { desiredState: TaskState.RUNNING };
    await state.write(createChange("task", Task.fromPartial({ id, ...placed, ...desired })));
  }

  const stateOf = (id: string) => state.store.view().tasks.get(id)?.status.state;
  const isIn = (id: string, wanted: TaskState) => () => stateOf(id) === wanted;
  const nodeState = () => state.store.view().nodes.get(NODE)?.status.state;

  it("makes the node ready and brings its description and address into the store", async () => {
    await host.start(manager.addr);
    await eventually("node is ready", () => nodeState() === NodeState.READY);
    const node = state.store.view().nodes.get(NODE);
    expect(node?.description?.hostname).to.equal("node1-host");
    expect(node?.status.addr).to.equal("192.0.2.7");
    await eventually("data plane knows", () => host.network.facts?.dataAddress === "192.0.2.7");
  });

  it("runs what is assigned, reports it, and pulls an image once for all", async () => {
    await host.start(manager.addr);
    await Promise.all(["a", "b", "c"].map((id) => addTask(id)));
    for (const id of ["a", "b", "c"]) await eventually(id, isIn(id, TaskState.RUNNING));
    expect(host.running()).to.deep.equal(["a", "b", "c"]);
    expect(host.images.pulls).to.equal(1);
    const labels = host.containers.ofTask("a")?.config.labels;
    expect(labels).to.include({
      "com.docker.swarm.task": "",
      "com.docker.swarm.task.name": "web.1.a",
      "com.docker.swarm.service.name": "web",
      "com.docker.swarm.node.id": NODE,
    });
  });

  it("says that it was removed, and runs on what it has", async () => {
    const worker = await host.start(manager.addr);
    await addTask("a");
    await eventually("running", isIn("a", TaskState.RUNNING));
    expect(worker.refusal).to.equal(undefined);
    await state.write(removeChange("node", NODE));
    await eventually("refused", () => worker.refusal !== undefined);
    expect(worker.refusal).to.match(/node was removed|not part of this swarm/);
    expect(host.running()).to.deep.equal(["a"]);
  });

  it("says why an image cannot be had", async () => {
    host.images.inRegistry.clear();
    await host.start(manager.addr);
    await addTask("a");
    await eventually("rejected", isIn("a", TaskState.REJECTED));
    expect(state.store.view().tasks.get("a")?.status.err).to.equal("nginx:1 is not known");
  });

  it("stops, keeps the container for its logs, and removes it with the task", async () => {
    await host.start(manager.addr);
    await addTask("a");
    await eventually("running", isIn("a", TaskState.RUNNING));
    await state.write(updateChange("task", "a", { desiredState: TaskState.SHUTDOWN }));
    await eventually("shut down", isIn("a", TaskState.SHUTDOWN));
    expect(host.containers.ofTask("a")?.state).to.equal("exited");
    await state.write(removeChange("task", "a"));
    await eventually("gone", () => host.containers.list().length === 0);
    await eventually("sandbox gone", () => host.network.sandboxes().length === 0);
  });

  it("stops a task only after its nodes stopped sending to it", async () => {
    await host.start(manager.addr);
    await addTask("a", true);
    await eventually("running", isIn("a", TaskState.RUNNING));
    await eventually("served", () => serving("a") === true);
    let go: () => void = () => undefined;
    host.network.stall = new Promise((resolve) => {
      go = resolve;
    });
    await state.write(updateChange("task", "a", { desiredState: TaskState.SHUTDOWN }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(host.running()).to.deep.equal(["a"]);
    go();
    await eventually("shut down", isIn("a", TaskState.SHUTDOWN), 1_500);
    expect(serving("a")).to.not.equal(true);
  });

  const serving = (taskId: string) =>
    host.network.tables.get(NETWORK)?.endpoints.find((one) => one.taskId === taskId)?.serving;

  it("stops it all the same when a node does not confirm in time", async () => {
    await host.start(manager.addr);
    await addTask("a", true);
    await eventually("served", () => serving("a") === true);
    host.network.stall = new Promise(() => undefined);
    await state.write(updateChange("task", "a", { desiredState: TaskState.SHUTDOWN }));
    await eventually("shut down", isIn("a", TaskState.SHUTDOWN));
  });

  it("follows the leader without restarting anything", async () => {
    let leader = manager.addr;
    const other = await openManager("manager2", () => leader);
    await host.start(other.addr, manager.addr);
    await addTask("a");
    await eventually("running", isIn("a", TaskState.RUNNING));
    expect(host.worker?.manager).to.equal(manager.addr);
    manager.kill();
    leader = other.addr;
    other.dispatcher.lead();
    await eventually("in session again", () => host.worker?.manager === other.addr);
    await addTask("b");
    await eventually("next task", isIn("b", TaskState.RUNNING));
    expect(host.containers.starts).to.deep.equal(["web.1.a", "web.1.b"]);
  });

  it("goes on without a manager and tells later what happened", async () => {
    await host.start(manager.addr);
    await addTask("a");
    await addTask("b");
    for (const id of ["a", "b"]) await eventually(id, isIn(id, TaskState.RUNNING));
    manager.dispatcher.resign();
    const container = host.containers.ofTask("a");
    if (container !== undefined) host.containers.exit(container.id, 3);
    expect(host.running()).to.deep.equal(["b"]);
    manager.dispatcher.lead();
    await eventually("told", isIn("a", TaskState.FAILED));
    expect(host.containers.starts).to.have.length(2);
  });

  it("a restarted daemon takes over its containers, with no manager in reach", async () => {
    const first = await host.start(manager.addr);
    await addTask("a", true);
    await eventually("served", () => serving("a") === true);
    await first.close();
    manager.kill();
    host.network.tables.clear();
    await host.start("127.0.0.1:1");
    await eventually("table is served again", () => serving("a") === true);
    expect(host.running()).to.deep.equal(["a"]);
    expect(host.containers.starts).to.deep.equal(["web.1.a"]);
  });

  it("removes what the complete set does not name, and only then", async () => {
    const first = await host.start(manager.addr);
    await addTask("a");
    await addTask("b");
    for (const id of ["a", "b"]) await eventually(id, isIn(id, TaskState.RUNNING));
    await first.close();
    await state.write(removeChange("task", "a"));
    await host.start(manager.addr);
    expect(host.running()).to.deep.equal(["a", "b"]);
    await eventually("a is gone", () => host.containers.ofTask("a") === undefined);
    expect(host.running()).to.deep.equal(["b"]);
  });

  it("sends a complete set larger than one message", async () => {
    const ids = Array.from({ length: 1_500 }, (_, i) => `task${i}`);
    const message = "x".repeat(300);
    const status = { state: TaskState.COMPLETE, message };
    const task = { serviceId: "web", nodeId: NODE, revision: 1, desiredState: TaskState.RUNNING };
    const changes = ids.map((id) =>
      createChange("task", Task.fromPartial({ id, ...task, status })),
    );
    await state.write(...changes);
    await host.start(manager.addr);
    await addTask("late");
    await eventually("late task runs", isIn("late", TaskState.RUNNING));
  });

  it("streams logs and ends with the last of them", async () => {
    await host.start(manager.addr);
    await addTask("a");
    await eventually("running", isIn("a", TaskState.RUNNING));
    const container = host.containers.ofTask("a");
    if (container !== undefined) {
      for (let i = 0; i < 2_000; i++) host.containers.print(container.id, `line ${i}`);
    }
    const lines = await readLog(false);
    expect(lines).to.have.length(2_000);
    expect(lines.at(-1)).to.equal("line 1999\n");
  });

  it("follows the logs of tasks that start later", async () => {
    await host.start(manager.addr);
    const abort = new AbortController();
    const reading = readLog(true, abort, 1);
    await addTask("a");
    await eventually("running", isIn("a", TaskState.RUNNING));
    const container = host.containers.ofTask("a");
    if (container !== undefined) host.containers.print(container.id, "hello");
    expect(await reading).to.deep.equal(["hello\n"]);
  });

  it("says whose logs are missing instead of waiting for a dead node", async () => {
    await host.start(manager.addr);
    await addTask("a");
    await eventually("running", isIn("a", TaskState.RUNNING));
    await host.worker?.close();
    await eventually("noticed", () => nodeState() === NodeState.DISCONNECTED);
    const error = await readLog(false).catch((thrown: Error) => thrown);
    expect(error).to.have.property(
      "message",
      "incomplete log stream: logs of task web.1.a on node node1-host are incomplete: node is down",
    );
  });

  async function readLog(
    follow: boolean,
    abort = new AbortController(),
    count = Number.POSITIVE_INFINITY,
  ): Promise<string[]> {
    const lines: string[] = [];
    const options = { stdout: true, stderr: true, follow, tail: -1, sinceMs: 0, untilMs: 0 };
    const selector = { kind: "service", serviceId: "web" } as const;
    for await (const { messages } of manager.logs.read(selector, options, abort.signal)) {
      lines.push(...messages.map((one) => Buffer.from(one.data).toString()));
      if (lines.length >= count) abort.abort();
    }
    return lines;
  }
});
