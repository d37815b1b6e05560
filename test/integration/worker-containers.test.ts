import { expect } from "chai";
import { createChange, removeChange, updateChange } from "../../manager/store/changes.ts";
import { createServiceChanges } from "../../manager/store/service-changes.ts";
import { type ContainerSpec, type DeepPartial, Task, TaskState } from "../../proto/gen/objects.ts";
import type { Engine } from "../../runtime/engine.ts";
import { Worker } from "../../worker/worker.ts";
import { eventually } from "../support/eventually.ts";
import {
  destroyEngine,
  type EngineRoots,
  findLeftovers,
  makeRoots,
  openEngine,
} from "../support/runtime/engine-fixture.ts";
import { nodeObject, serviceSpec } from "../support/store-fixture.ts";
import { NamespaceDataPlane } from "../support/worker/namespace-data-plane.ts";
import { SharedState, TestManager } from "../support/worker/test-manager.ts";
import { testWorkerOptions } from "../support/worker/test-worker.ts";

const NODE = "node1";
const LOG_ALL = { stdout: true, stderr: true, follow: false, tail: -1, sinceMs: 0, untilMs: 0 };

describe("worker with real containers", function () {
  this.timeout(60_000);
  let roots: EngineRoots;
  let engine: Engine;
  let state: SharedState;
  let manager: TestManager;
  let network: NamespaceDataPlane;
  let worker: Worker;

  beforeEach(async () => {
    roots = makeRoots();
    engine = await openEngine(roots);
    network = new NamespaceDataPlane();
    state = new SharedState();
    manager = await TestManager.open(state, { nodeId: "manager1" });
    await state.write(createChange("node", nodeObject(NODE)));
    manager.dispatcher.lead();
    worker = await startWorker();
  });

  afterEach(async () => {
    await worker.close();
    manager.kill();
    await destroyEngine(engine, roots);
    await network.cleanup();
    await eventually("nothing is left", () => findLeftovers(roots.base).length === 0);
  });

  async function startWorker(): Promise<Worker> {
    const { dataRoot } = roots;
    const { containers, images } = engine;
    const parts = { dataRoot, containers, images, network };
    return Worker.start(testWorkerOptions(NODE, [manager.addr], parts));
  }

  async function addService(id: string, container: DeepPartial<ContainerSpec>): Promise<void> {
    const spec = serviceSpec({
      name: id,
      task: { container: { image: "busybox:latest", ...container } },
    });
    await state.write(...createServiceChanges(id, spec));
  }

  async function addTask(serviceId: string, slot = 1): Promise<string> {
    const id = `${serviceId}${slot}`;
    const status = { state: TaskState.ASSIGNED };
    const placed = { id, serviceId, slot, nodeId: NODE, revision: 1, status };
    const task = Task.fromPartial({ ...placed, desiredState: TaskState.RUNNING });
    await state.write(createChange("task", task));
    return id;
  }

  const taskOf = (id: string) => state.store.view().tasks.get(id);
  const isIn = (id: string, wanted: TaskState) => () => taskOf(id)?.status.state === wanted;

  it("starts twenty tasks together, takes them over after a restart and stops them", async () => {
    await addService("many", { command: ["sleep", "1000"], stopGracePeriodNs: 1e8 });
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => addTask("many", i + 1)));
    for (const id of ids) await eventually(id, isIn(id, TaskState.RUNNING), 30_000);
    const pids = () => engine.containers.list().map(({ pid }) => pid);
    const before = pids();
    expect(before.every((pid) => pid > 0)).to.equal(true);

    await worker.close();
    await engine.close();
    engine = await openEngine(roots);
    worker = await startWorker();
    await eventually("in session", () => worker.manager === manager.addr);
    expect(pids()).to.have.members(before);

    await state.write(
      ...ids.map((id) => updateChange("task", id, { desiredState: TaskState.SHUTDOWN })),
    );
    for (const id of ids) await eventually(id, isIn(id, TaskState.SHUTDOWN), 30_000);
    await state.write(...ids.map((id) => removeChange("task", id)));
    await eventually("removed", () => engine.containers.list().length === 0, 30_000);
    await eventually("no sandbox", () => network.sandboxes().length === 0);
  });

  it("reports how a program ended, and keeps what it said", async () => {
    await addService("fails", { command: ["sh", "-c", "echo last words; exit 7"] });
    const id = await addTask("fails");
    await eventually("failed", isIn(id, TaskState.FAILED));
    expect(taskOf(id)?.status.err).to.equal("task: non-zero exit (7)");
    expect(taskOf(id)?.status.container?.exitCode).to.equal(7);
    const lines: string[] = [];
    const selector = { kind: "service", serviceId: "fails" } as const;
    for await (const part of manager.logs.read(selector, LOG_ALL, new AbortController().signal)) {
      lines.push(...part.messages.map((one) => Buffer.from(one.data).toString()));
    }
    expect(lines).to.deep.equal(["last words\n"]);
  });

  it("runs when healthy, fails with the check's output when it is not", async () => {
    // The first checks may come before the file is there: the start period forgives them.
    const times = { startPeriodNs: 1e10, startIntervalNs: 5e7, intervalNs: 5e7, timeoutNs: 5e9 };
    const healthcheck = { ...times, retries: 1 };
    const command = ["sh", "-c", "touch /ok; sleep 1000"];
    const test = ["CMD-SHELL", "test -e /ok || { echo not ok; exit 1; }"];
    await addService("checked", {
      command,
      stopGracePeriodNs: 1e8,
      healthcheck: { ...healthcheck, test },
    });
    const id = await addTask("checked");
    await eventually("running", isIn(id, TaskState.RUNNING));
    const [container] = engine.containers.list();
    if (container !== undefined) await engine.containers.exec(container.id, ["rm", "/ok"], 5_000);
    await eventually("failed", isIn(id, TaskState.FAILED));
    expect(taskOf(id)?.status.err).to.equal("unhealthy container: not ok");
  });

  it("says what is wrong with a command that is not there", async () => {
    await addService("typo", { command: ["/bin/does-not-exist"] });
    const id = await addTask("typo");
    await eventually("failed", isIn(id, TaskState.FAILED));
    expect(taskOf(id)?.status.err).to.include("does-not-exist");
  });
});
