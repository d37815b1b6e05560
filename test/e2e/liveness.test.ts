import { type ChildProcess, spawn } from "node:child_process";
import { expect } from "chai";
import type { WireNode } from "../../cli/client/wire.ts";
import { type RunningContainer, runningContainers } from "../support/chaos/containers.ts";
import { type Cluster, formSwarm, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";

const SERVICE = "stay";
const REPLICAS = 4;
/** Twice the silence that makes a node down. */
const LONG_MS = 5_000;
const BURNERS = 12;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("e2e: unreachable is not dead, and dead is found fast", function () {
  this.timeout(90_000);
  let cluster: Cluster;
  let manager: TestNode;
  let workers: readonly TestNode[];

  before(async () => {
    cluster = await startDaemons({ name: "e2eliveness", managers: 1, workers: 3 });
    [manager] = cluster.managers as [TestNode];
    workers = cluster.workers;
    await formSwarm(cluster);
    const archive = await busyboxImage();
    await Promise.all(cluster.nodes.map((node) => node.mustMuster("image", "load", "-i", archive)));
    const service = ["service", "create", "--no-resolve-image", "--stop-signal", "SIGKILL"];
    const replicas = ["--replicas", String(REPLICAS), "--name", SERVICE];
    await manager.mustMuster(...service, ...replicas, "busybox", "sleep", "10000");
    expect(new Set([...(await containers()).values()].map(({ nodeId }) => nodeId)).size).to.equal(
      4,
    );
  });
  after(async () => cluster?.close());

  const containers = () => runningContainers(manager, SERVICE);
  const nodes = () => manager.api().get<WireNode[]>("/nodes");
  const find = async (node: TestNode) =>
    (await nodes()).find(({ Description }) => Description?.Hostname === node.name);
  const stateOf = async (node: TestNode) => (await find(node))?.Status.State;
  const reasonOf = async (node: TestNode) =>
    ((await find(node))?.Status as { readonly Message?: string } | undefined)?.Message ?? "";
  const allReady = async () => (await nodes()).every(({ Status }) => Status.State === "ready");
  /** What the managers said of nodes since `mark`: bytes of the log then. */
  const saidDown = (mark: number) =>
    manager
      .logTail(1_000_000)
      .slice(mark)
      .split("\n")
      .filter((line) => line.includes('"node state"') && line.includes('"state":1'));
  const mark = () => manager.logTail(1_000_000).length;

  function expectSame(
    before: ReadonlyMap<string, RunningContainer>,
    after: ReadonlyMap<string, RunningContainer>,
  ): void {
    expect([...after].sort()).to.deep.equal([...before].sort());
    for (const { startedAt } of after.values()) expect(startedAt).to.be.a("string");
  }

  it("a daemon that is stopped, on a host that answers, is waited for, and loses no task", async () => {
    const [worker] = workers as [TestNode];
    const before = await containers();
    const start = mark();
    worker.signal("SIGSTOP");
    try {
      await eventually(
        "it is disconnected",
        async () => (await stateOf(worker)) === "disconnected",
      );
      expect(await reasonOf(worker)).to.contain("its host answers");
      expect(await manager.mustMuster("node", "ls")).to.match(/h2 +Disconnected/);
      await wait(LONG_MS);
    } finally {
      worker.signal("SIGCONT");
    }
    await eventually("all are ready", allReady);
    expect(saidDown(start)).to.deep.equal([]);
    expectSame(before, await containers());
  });

  it("a manager that stood still holds nothing against the others", async () => {
    const before = await containers();
    const start = mark();
    manager.signal("SIGSTOP");
    await wait(LONG_MS);
    manager.signal("SIGCONT");
    await wait(LONG_MS);
    await eventually("all are ready", allReady);
    expect(saidDown(start)).to.deep.equal([]);
    expectSame(before, await containers());
  });

  it("most nodes vanishing together are held, with the reason", async () => {
    const before = await containers();
    const start = mark();
    await Promise.all(workers.map(({ host }) => cluster.lab.pullCable(host)));
    try {
      await eventually("they are disconnected", async () => {
        const states = await Promise.all(workers.map(stateOf));
        return states.every((state) => state === "disconnected");
      });
      for (const worker of workers)
        expect(await reasonOf(worker)).to.contain("most nodes are silent together");
      await wait(2_000);
    } finally {
      await Promise.all(workers.map(({ host }) => cluster.lab.plugCable(host)));
    }
    await eventually("all are ready", allReady, 20_000);
    expect(saidDown(start)).to.deep.equal([]);
    expectSame(before, await containers());
  });

  it("want of processor time restarts nothing", async () => {
    const before = await containers();
    const start = mark();
    const burn = "for (;;) {}";
    const burners: ChildProcess[] = [];
    try {
      for (let i = 0; i < BURNERS; i++)
        burners.push(spawn(process.execPath, ["-e", burn], { stdio: "ignore" }));
      await wait(2 * LONG_MS);
    } finally {
      for (const burner of burners) burner.kill("SIGKILL");
    }
    await eventually("all are ready", allReady, 20_000);
    expect(saidDown(start)).to.deep.equal([]);
    expectSame(before, await containers());
  });

  it("times are settings that hold at once, and those that cannot be are refused with the arithmetic", async () => {
    const times = ["--heartbeat", "200ms", "--down-after", "1s", "--restart-grace", "15s"];
    await manager.mustMuster("swarm", "update", ...times);
    const cli = await debianDockerCli();
    const stock = ["-H", `unix://${manager.socket}`, "swarm", "update"];
    const docker = async (...args: string[]) =>
      cluster.lab.exec(manager.host, [cli, ...stock, ...args]);
    const kept = await docker("--dispatcher-heartbeat", "250ms");
    expect(kept.code, kept.stderr).to.equal(0);
    const info = await manager.mustMuster("info");
    expect(info).to.contain("Heartbeat: 0.25s").and.to.contain("Down After: 1s");
    expect(info).to.contain("Restart Grace: 15s");
    const late = await manager.muster("swarm", "update", "--heartbeat", "600ms");
    expect(late.code).to.equal(1);
    expect(late.stderr).to.contain("down-after 1s is less than 2 × heartbeat 0.6s = 1.2s");
    const refused = await docker("--dispatcher-heartbeat", "5s");
    expect(refused.stderr).to.contain("down-after 1s is less than 2 × heartbeat 5s = 10s");

    const [worker] = workers as [TestNode];
    await cluster.lab.pullCable(worker.host);
    await eventually("it is down", async () => (await stateOf(worker)) === "down");
    await eventually("its task runs elsewhere", async () => (await containers()).size === REPLICAS);
    await cluster.lab.plugCable(worker.host);
    await eventually("it is back", allReady, 20_000);
    await eventually("and runs nothing that runs elsewhere", async () => {
      const running = await containers();
      return [...running.values()].every(({ startedAt }) => startedAt !== undefined);
    });
  });
});
