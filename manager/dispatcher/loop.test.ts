import { expect } from "chai";
import type { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { seededRandom } from "../../core/random.ts";
import { Hello } from "../../proto/gen/dispatcher.ts";
import {
  Cluster,
  ClusterSpec,
  NodeRole,
  NodeState,
  Task,
  TaskState,
  type TaskStatus,
} from "../../proto/gen/objects.ts";
import { STATUS_BATCH_MAX } from "../../proto/limits.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { nodeObject, serviceSpec } from "../../test/support/store-fixture.ts";
import { MemoryLog } from "../log/memory-log.ts";
import { RefusalLog } from "../rpc/refusal-log.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import { Proposer } from "../store/proposer.ts";
import { createServiceChanges } from "../store/service-changes.ts";
import { Store } from "../store/store.ts";
import { DispatcherLoop } from "./loop.ts";
import type { Said, SessionChannel } from "./node-session.ts";

class MemoryChannel implements SessionChannel {
  readonly nodeId: string;
  readonly peerAddr = "192.0.2.9";
  readonly said: Said[] = [];
  congested = false;
  ended: ClusterError | undefined;

  constructor(nodeId: string) {
    this.nodeId = nodeId;
  }

  send(message: Said): void {
    this.said.push(message);
  }

  end(reason: ClusterError): void {
    this.ended = reason;
  }

  kinds(): string[] {
    return this.said.map((one) => one.$case);
  }
}

describe("dispatcher: loop", () => {
  let clock: FakeClock;
  let store: Store;
  let proposer: Proposer;
  let loop: DispatcherLoop;
  /** Addresses at which a kernel answers. */
  let answering: Set<string>;

  beforeEach(async () => {
    clock = new FakeClock();
    answering = new Set();
    store = new Store();
    proposer = new Proposer(new MemoryLog(store), clock);
    const nodes = ["a", "b", "c"].map((id) => createChange("node", nodeObject(id)));
    await proposer.propose([...nodes, ...createServiceChanges("web", serviceSpec())]);
    loop = new DispatcherLoop({
      nodeId: "a",
      store,
      proposer,
      clock,
      random: seededRandom(1),
      log: silentLog,
      refusals: new RefusalLog(silentLog, clock),
      onPresence: () => undefined,
      hostAnswers: async (addr) => answering.has(addr),
    });
  });

  const node = (id: string) => store.view().nodes.get(id);
  const task = (id: string, state: TaskState) =>
    Task.fromPartial({
      id,
      serviceId: "web",
      revision: 1,
      nodeId: "a",
      desiredState: TaskState.RUNNING,
      status: { state },
    });

  function open(nodeId: string): MemoryChannel {
    const channel = new MemoryChannel(nodeId);
    loop.open(channel, Hello.fromPartial({ description: { hostname: `host-${nodeId}` } }));
    return channel;
  }

  /** Lets time pass while these beat. */
  async function pass(ms: number, ...beating: readonly MemoryChannel[]): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      for (const one of beating) loop.receive(one, { $case: "heartbeat", value: {} });
      await clock.advance(500);
    }
  }

  it("welcomes, then sends the complete set, and makes the node ready", async () => {
    const channel = open("a");
    await pass(500);
    expect(channel.kinds()).to.deep.equal(["welcome", "roleChanged", "assignments"]);
    expect(node("a")?.status).to.include({ state: NodeState.READY, addr: "192.0.2.9" });
    expect(node("a")?.description?.hostname).to.equal("host-a");
  });

  it("takes in no node that is not of the swarm", () => {
    expect(() => open("stranger")).to.throw("not part of this swarm");
  });

  it("gives up a silent node in 2.5 s and ends its session", async () => {
    const [a, b, c] = [open("a"), open("b"), open("c")];
    await pass(2_000, b, c);
    expect(node("a")?.status.state).to.equal(NodeState.READY);
    await pass(1_000, b, c);
    expect(node("a")?.status.state).to.equal(NodeState.DOWN);
    expect(a.ended?.message).to.equal("the node was given up: no heartbeat for 2500 ms");
    expect(b.ended).to.equal(undefined);
  });

  it("waits for a silent daemon whose host answers, and keeps its session", async () => {
    const [a, b, c] = [open("a"), open("b"), open("c")];
    answering.add("192.0.2.9");
    await pass(9_000, b, c);
    expect(node("a")?.status.state).to.equal(NodeState.DISCONNECTED);
    expect(node("a")?.status.message).to.contain("its host answers");
    expect(a.ended).to.equal(undefined);
    await pass(500, a, b, c);
    expect(node("a")?.status).to.include({ state: NodeState.READY, message: "" });
    await pass(12_000, b, c);
    expect(node("a")?.status.state).to.equal(NodeState.DOWN);
  });

  it("waits for a daemon whose connection broke", async () => {
    const [a, b, c] = [open("a"), open("b"), open("c")];
    await pass(500, a, b, c);
    loop.broken(a);
    await pass(9_000, b, c);
    expect(node("a")?.status.state).to.equal(NodeState.DISCONNECTED);
    await pass(2_000, b, c);
    expect(node("a")?.status.state).to.equal(NodeState.DOWN);
  });

  it("hears a node's newest session only", async () => {
    const [old, b, c] = [open("a"), open("b"), open("c")];
    const young = open("a");
    expect(old.ended?.code).to.equal("Aborted");
    loop.broken(old);
    await pass(3_000, old, b, c);
    expect(young.ended).to.not.equal(undefined);
  });

  it("puts what a worker reports into the store, then confirms it", async () => {
    await proposer.propose([createChange("task", task("t", TaskState.ASSIGNED))]);
    const channel = open("a");
    const statuses = [{ taskId: "t", status: { ...task("t", TaskState.RUNNING).status } }];
    const value = { sequence: 1, statuses: statuses as never };
    loop.receive(channel, { $case: "statusUpdate", value });
    await pass(500);
    expect(store.view().tasks.get("t")?.status.state).to.equal(TaskState.RUNNING);
    expect(channel.said).to.deep.include({ $case: "statusAck", value: { sequence: 1 } });
  });

  it("believes no node about another's tasks", async () => {
    await proposer.propose([createChange("task", task("t", TaskState.ASSIGNED))]);
    const channel = open("b");
    const statuses = [{ taskId: "t", status: task("t", TaskState.FAILED).status }];
    loop.receive(channel, { $case: "statusUpdate", value: { sequence: 1, statuses } });
    await pass(500);
    expect(store.view().tasks.get("t")?.status.state).to.equal(TaskState.ASSIGNED);
  });

  it("takes a worker's next statuses only when the last are stored, and so many at once", async () => {
    await proposer.propose([createChange("task", task("t", TaskState.ASSIGNED))]);
    const channel = open("a");
    const report = (sequence: number, statuses: { taskId: string; status: TaskStatus }[]) => () =>
      loop.receive(channel, { $case: "statusUpdate", value: { sequence, statuses } });
    const news = { taskId: "t", status: task("t", TaskState.RUNNING).status as TaskStatus };
    report(1, [news])();
    expect(report(2, [news])).to.throw(/those before are not acknowledged yet/);
    await pass(500);
    expect(report(2, [news])).to.not.throw();
    expect(report(3, Array(STATUS_BATCH_MAX + 1).fill(news))).to.throw(/at most 100 at once/);
  });

  it("makes visible what would command the terminal of whoever reads it", async () => {
    await proposer.propose([createChange("task", task("t", TaskState.ASSIGNED))]);
    const channel = open("a");
    const status = { ...task("t", TaskState.FAILED).status, err: "a\u001b[2Jb\n\tc" } as TaskStatus;
    const statuses = [{ taskId: "t", status }];
    loop.receive(channel, { $case: "statusUpdate", value: { sequence: 1, statuses } });
    await pass(500);
    expect(store.view().tasks.get("t")?.status.err).to.equal("a\ufffd[2Jb\n\tc");
  });

  it("believes no node that a task which ran was never accepted, and goes on with it", async () => {
    await proposer.propose([createChange("task", task("t", TaskState.RUNNING))]);
    const channel = open("a");
    const statuses = [{ taskId: "t", status: task("t", TaskState.REJECTED).status }];
    loop.receive(channel, { $case: "statusUpdate", value: { sequence: 1, statuses } });
    await pass(500);
    expect(store.view().tasks.get("t")?.status.state).to.equal(TaskState.RUNNING);
    expect(channel.said).to.deep.include({ $case: "statusAck", value: { sequence: 1 } });
  });

  it("tells workers a new heartbeat at once, and waits for them as long as it asks", async () => {
    const clusterSpec = ClusterSpec.create({ heartbeatMs: 500 });
    await proposer.propose([
      createChange("cluster", Cluster.fromPartial({ id: "c", spec: clusterSpec })),
    ]);
    const [a] = [open("a"), open("b"), open("c")];
    await pass(500);
    const slow = { ...clusterSpec, heartbeatMs: 5_000 };
    await proposer.propose([updateChange("cluster", "c", { spec: slow })]);
    await pass(500);
    expect(a.said).to.deep.include({ $case: "settings", value: { heartbeatMs: 5_000 } });
    await pass(20_000);
    expect(node("a")?.status.state).to.equal(NodeState.READY);
  });

  it("sends a congested worker nothing, then everything at once", async () => {
    const channel = open("a");
    await pass(500);
    channel.congested = true;
    for (const id of ["t1", "t2"]) {
      await proposer.propose([createChange("task", task(id, TaskState.ASSIGNED))]);
      await pass(500, channel);
    }
    expect(channel.kinds()).to.deep.equal(["welcome", "roleChanged", "assignments"]);
    channel.congested = false;
    loop.drained(channel);
    await pass(500, channel);
    expect(channel.kinds().filter((kind) => kind === "assignments")).to.have.length(2);
  });

  it("ends the session of a removed node", async () => {
    const channel = open("a");
    await pass(500);
    await proposer.propose([removeChange("node", "a")]);
    await pass(500);
    expect(channel.ended?.code).to.equal("PermissionDenied");
  });

  it("tells a node the role it is to have, and each change", async () => {
    const channel = open("a");
    await pass(500);
    const wanted = [NodeRole.MANAGER, NodeRole.MANAGER, NodeRole.WORKER];
    for (const role of wanted) {
      const spec = { name: "", labels: {}, role, availability: 0 as const };
      await proposer.propose([updateChange("node", "a", { spec }, { bumpVersion: true })]);
      await pass(500);
    }
    const told = channel.said.flatMap((one) =>
      one.$case === "roleChanged" ? [one.value.role] : [],
    );
    expect(told).to.deep.equal([NodeRole.WORKER, NodeRole.MANAGER, NodeRole.WORKER]);
  });
});
