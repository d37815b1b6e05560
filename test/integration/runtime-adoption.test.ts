import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { ContainerConfig, ContainerId } from "../../runtime/container/types.ts";
import type { Engine } from "../../runtime/engine.ts";
import { unmount } from "../../runtime/linux/mount.ts";
import { eventually } from "../support/eventually.ts";
import { processesNaming } from "../support/processes.ts";
import {
  busyboxConfig,
  destroyEngine,
  type EngineRoots,
  findLeftovers,
  makeRoots,
  openEngine,
  readAll,
} from "../support/runtime/engine-fixture.ts";

const MAIN = new URL("../support/runtime/engine-main.ts", import.meta.url).pathname;
const ALL_LOGS = {
  stdout: true,
  stderr: true,
  follow: false,
  tail: -1,
  sinceMs: 0,
  untilMs: 0,
} as const;

describe("runtime: containers outlive the process that started them", function () {
  this.timeout(40_000);
  let roots: EngineRoots;
  let engine: Engine | undefined;

  beforeEach(() => {
    roots = makeRoots();
    engine = undefined;
  });

  afterEach(async () => {
    await destroyEngine(engine ?? (await openEngine(roots)), roots);
    await eventually("nothing is left", () => findLeftovers(roots.base).length === 0);
  });

  it("are taken up as they run when the engine is opened again", async () => {
    const first = await openEngine(roots);
    const { id } = await first.containers.create(busyboxConfig("kept", ["sleep", "1000"]));
    await first.containers.start(id);
    const before = JSON.stringify(first.containers.get(id));
    await first.close();

    engine = await openEngine(roots);
    expect(JSON.parse(JSON.stringify(engine.containers.get(id)))).to.deep.equal(JSON.parse(before));
    await engine.containers.stop(id, { timeoutMs: 20 });
    expect(engine.containers.get(id)).to.include({ state: "exited", exitCode: 137 });
  });

  it("are taken up after kill -9: what runs runs on, what ended meanwhile has its exit code", async () => {
    const { child, ids } = await startChild(roots);
    child.kill("SIGKILL");
    await once(child, "exit");
    // Nobody is there to see this one end.
    writeFileSync(join(roots.dataRoot, "volumes/stop/_data/now"), "");
    await eventually("conmon wrote the exit code", () => {
      return tryRead(join(roots.execRoot, "exits", ids.ends)) === "7";
    });

    engine = await openEngine(roots);
    expect(engine.containers.get(ids.ends)).to.include({ state: "exited", exitCode: 7, error: "" });
    const runs = engine.containers.get(ids.runs);
    expect(runs.state).to.equal("running");
    expect(readFileSync(`/proc/${runs.pid}/cmdline`, "utf8")).to.include("sleep");
    const logs = engine.containers.logs(ids.runs, ALL_LOGS);
    expect(await readAll(logs)).to.equal("before\n");
    const { output } = await engine.containers.exec(ids.runs, ["echo", "hello"], 5000);
    expect(output).to.equal("hello\n");
  });

  it("tell of their end to the engine that took them up", async () => {
    const { child, ids } = await startChild(roots);
    child.kill("SIGKILL");
    await once(child, "exit");

    engine = await openEngine(roots);
    const { containers } = engine;
    const exit = new Promise((resolve) => {
      containers.onEvent((event) => {
        if (event.kind === "exited") resolve(event);
      });
    });
    writeFileSync(join(roots.dataRoot, "volumes/stop/_data/now"), "");
    expect(await exit).to.include({
      kind: "exited",
      id: ids.ends,
      exitCode: 7,
      oomKilled: false,
    });
  });

  it("have ended in an unknown way when their conmon was killed, and none of their processes stays", async () => {
    engine = await openEngine(roots);
    const { id } = await engine.containers.create(busyboxConfig("orphan", ["sleep", "1000"]));
    await engine.containers.start(id);
    const conmonPid = Number(
      readFileSync(join(roots.execRoot, "containers", id, "conmon.pid"), "utf8"),
    );
    process.kill(conmonPid, "SIGKILL");
    await engine.containers.wait(id);
    expect(engine.containers.get(id)).to.include({ state: "exited", exitCode: 255 });
    await eventually("its processes are gone", () => findLeftovers(id).length === 0);
  });

  it("are found after a reboot with their files; those run again that are to", async () => {
    const first = await openEngine(roots);
    const make = async (name: string, changes: Partial<ContainerConfig>) => {
      const config = busyboxConfig(name, ["sleep", "1000"], changes);
      const { id } = await first.containers.create(config);
      await first.containers.start(id);
      return id;
    };
    const always = await make("always", { restart: { kind: "always", retriesMax: 0 } });
    const plain = await make("plain", {});
    const auto = await make("auto", { autoRemove: true });
    await first.containers.exec(always, ["touch", "/kept"], 5000);
    await first.close();
    await losePower(roots, [always, plain, auto]);

    engine = await openEngine(roots);
    const { containers } = engine;
    await eventually("it runs again", () => containers.get(always).state === "running");
    expect((await containers.exec(always, ["ls", "/kept"], 5000)).exitCode).to.equal(0);
    expect(containers.get(plain)).to.include({ state: "exited", exitCode: 255 });
    expect(containers.list().map(({ id }) => id)).to.have.members([always, plain]);
    await containers.start(plain);
    expect(containers.get(plain).state).to.equal("running");
  });

  it("are forgotten when they were not made to the end, with all that is left of them", async () => {
    const first = await openEngine(roots);
    const half = "ab".repeat(32) as ContainerId;
    mkdirSync(join(roots.dataRoot, "containers", half));
    mkdirSync(join(roots.execRoot, "containers", half));
    mkdirSync(join(roots.execRoot, "runtime/runc", half), { recursive: true });
    writeFileSync(join(roots.execRoot, "exits", half), "0");
    const { id } = await first.containers.create(busyboxConfig("whole", ["true"]));
    await first.close();

    engine = await openEngine(roots);
    expect(engine.containers.list().map((container) => container.id)).to.deep.equal([id]);
    for (const path of ["data/containers", "exec/containers", "exec/runtime/runc", "exec/exits"])
      expect(tryRead(join(roots.base, path, half)), path).to.equal(undefined);
  });
});

/** Everything ends at once, and what is not on the disk is gone. */
async function losePower({ base, execRoot }: EngineRoots, ids: readonly ContainerId[]) {
  for (const id of ids) {
    const pidOf = (file: string) => Number(readFileSync(join(execRoot, "containers", id, file)));
    for (const pid of [pidOf("conmon.pid"), pidOf("pid")]) process.kill(pid, "SIGKILL");
  }
  await eventually("no process is left", () => processesNaming(base).length === 0);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const paths = mounts.map((line) => line.split(" ")[4] ?? "");
  for (const path of paths.filter((one) => one.startsWith(base)).toReversed()) unmount(path);
  rmSync(execRoot, { recursive: true });
}

/** Starts an engine in a process of its own, which starts its containers. */
async function startChild(
  roots: EngineRoots,
): Promise<{ child: ChildProcess; ids: { runs: ContainerId; ends: ContainerId } }> {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, roots.base], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, ids: JSON.parse(line.toString("utf8")) };
}

/** Undefined when there is nothing, not even a folder. */
function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EISDIR") return "a folder";
    return undefined;
  }
}
