import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect } from "chai";
import { MANAGER_CHANNEL_OPTIONS } from "../../manager/ca/credentials.ts";
import { SNAPSHOT_PART_BYTES } from "../../manager/log/replicated-log.ts";
import { Store } from "../../manager/store/store.ts";
import { type ConfigList, ControlClient } from "../../proto/gen/control.ts";
import { ManagerMessage } from "../../proto/gen/dispatcher.ts";
import { type Config, NodeState, ServiceSpec, TaskState } from "../../proto/gen/objects.ts";
import { CHUNK_BYTES_MAX, CONFIG_BYTES_MAX, MESSAGE_BYTES_MAX } from "../../proto/limits.ts";
import { grpcDial } from "../../worker/session/grpc-wire.ts";
import type { Dial } from "../../worker/session/wire.ts";
import { Worker } from "../../worker/worker.ts";
import { eventually } from "../support/eventually.ts";
import { initSwarm, type TestManager } from "../support/test-manager.ts";
import { TestHost, testWorkerOptions } from "../support/worker/test-worker.ts";

const TASKS = 5_000;
const DEAD_TASKS = 1_000;
const CONFIGS = 500;
const SLOW_MS = 120_000;
const PASSWORD = Buffer.from("correct horse battery staple");

const file = (name: string) => ({ name, uid: "0", gid: "0", mode: 0o444 });

describe("integration: what made others break", function () {
  this.timeout(4 * SLOW_MS);
  let manager: TestManager;
  let host: TestHost;
  /** Encoded bytes of each part of a complete set, newest session last. */
  let parts: number[] = [];
  let isComplete = false;

  beforeEach(async () => {
    manager = await initSwarm();
    host = await TestHost.make(manager.nodeId);
    parts = [];
  });
  afterEach(async () => {
    await host.close();
    await manager.stop();
  });

  const dial: Dial = (addr, events) => {
    const real = grpcDial(() => manager.credentials.toManager(), MANAGER_CHANNEL_OPTIONS);
    return real(addr, {
      ...events,
      onEnd: (reason) => events.onEnd(reason),
      onMessage: (message) => {
        events.onMessage(message);
        if (message.kind?.$case !== "assignments" || !message.kind.value.complete) return;
        parts.push(ManagerMessage.encode(message).finish().length);
        isComplete = message.kind.value.last;
      },
    });
  };
  const startWorker = async () => {
    parts = [];
    isComplete = false;
    const options = testWorkerOptions(manager.nodeId, [manager.addr], host);
    const description = () => ({
      ...options.description(),
      resources: { nanoCpus: 64e9, memoryBytes: 2 ** 40, pids: 0 },
    });
    host.worker = await Worker.start({ ...options, dial, description });
    await eventually("the node is ready", () => {
      return view().nodes.get(manager.nodeId)?.status.state === NodeState.READY;
    });
  };
  const view = () => manager.manager.store.view();
  const count = (state: TaskState) =>
    [...view().tasks.values()].filter(({ status }) => status.state === state).length;
  const spec = (name: string, replicas: number, container: object = {}) =>
    ServiceSpec.fromPartial({
      name,
      mode: { $case: "replicated", value: { replicas } },
      task: { container: { image: "nginx:1", ...container }, restart: { condition: 1 } },
    });

  it(`${TASKS} tasks on one node, each with a config of a megabyte and a secret`, async () => {
    const { control } = manager.manager;
    const data = Buffer.alloc(CONFIG_BYTES_MAX, "c");
    await control.createConfig({ name: "large", labels: {} }, data);
    await control.createSecret({ name: "password", labels: {} }, PASSWORD);
    await startWorker();
    const delay = monitorEventLoopDelay({ resolution: 10 });
    const report = (what: string, startMs: number) => {
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      const worst = Math.round(delay.max / 1e6);
      console.log(`      ${what}: ${seconds} s; event loop held up for ${worst} ms at most`);
      delay.reset();
    };

    delay.enable();
    let startMs = performance.now();
    const secrets = [{ secretId: "", secretName: "password", file: file("password") }];
    const configs = [{ configId: "", configName: "large", file: file("/etc/large") }];
    await control.createService(spec("many", TASKS, { secrets, configs }));
    await eventually("all run", () => count(TaskState.RUNNING) === TASKS, SLOW_MS);
    report(`${TASKS} tasks run`, startMs);
    expect(host.containers.files.size).to.equal(TASKS);
    for (const files of host.containers.files.values()) {
      expect(files.map(({ data: { length } }) => length)).to.deep.equal([
        CONFIG_BYTES_MAX,
        PASSWORD.length,
      ]);
    }

    startMs = performance.now();
    await host.worker?.close();
    await startWorker();
    await eventually("the whole set came", () => isComplete, SLOW_MS);
    expect(count(TaskState.RUNNING)).to.equal(TASKS);
    report(`they are taken over by a restarted worker, ${parts.length} parts`, startMs);
    expect(Math.max(...parts)).to.be.at.most(CHUNK_BYTES_MAX);
    expect(host.containers.starts).to.have.length(TASKS);

    startMs = performance.now();
    await control.removeService("many");
    await eventually("all are gone", () => view().tasks.size === 0, SLOW_MS);
    await eventually("with their containers", () => host.containers.list().length === 0, SLOW_MS);
    report("they are removed", startMs);
    await control.removeConfig("large");
    await control.removeSecret("password");
    delay.disable();
  });

  it(`${DEAD_TASKS} dead tasks on one node beside one that lives`, async () => {
    const { control } = manager.manager;
    await startWorker();
    await control.createService(spec("dead", DEAD_TASKS));
    await eventually("all run", () => count(TaskState.RUNNING) === DEAD_TASKS, SLOW_MS);
    for (const { id } of host.containers.list()) host.containers.exit(id, 1);
    await eventually("all are dead", () => count(TaskState.FAILED) === DEAD_TASKS, SLOW_MS);
    await host.worker?.close();
    await startWorker();
    await control.createService(spec("alive", 1));
    await eventually("one runs", () => count(TaskState.RUNNING) === 1);
    expect(host.running()).to.have.length(1);
    const tasks = await control.listTasks({ service: ["dead"] });
    expect(tasks).to.have.length(DEAD_TASKS);
  });

  it(`${CONFIGS} configs of a megabyte, listed by another manager and restored from a snapshot`, async () => {
    const { control, store } = manager.manager;
    for (let i = 0; i < CONFIGS; i++) {
      const data = Buffer.alloc(CONFIG_BYTES_MAX, `${i} `);
      await control.createConfig({ name: `c${i}`, labels: {} }, data);
    }
    const client = new ControlClient(
      manager.addr,
      manager.credentials.toManager(),
      MANAGER_CHANNEL_OPTIONS,
    );
    let listed = 0;
    let largest = 0;
    for await (const { configs } of client.listConfigs({
      filters: {},
    }) as AsyncIterable<ConfigList>) {
      listed += configs.length;
      largest = Math.max(largest, ...configs.map((config: Config) => config.data.length));
      expect(configs).to.have.length(1);
    }
    client.close();
    expect(listed).to.equal(CONFIGS);
    expect(largest).to.equal(CONFIG_BYTES_MAX).and.lessThan(MESSAGE_BYTES_MAX);

    const copy = new Store();
    copy.restore(
      7,
      (function* () {
        for (const part of store.snapshot()) {
          expect(part.length).to.be.at.most(SNAPSHOT_PART_BYTES);
          yield part;
        }
      })(),
    );
    expect(copy.view().configs.size).to.equal(CONFIGS);
    const last = copy.view().configs.byName(`c${CONFIGS - 1}`);
    expect(
      last?.data.equals(view().configs.byName(`c${CONFIGS - 1}`)?.data ?? Buffer.alloc(0)),
    ).to.equal(true);
  });
});
