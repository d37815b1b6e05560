import { expect } from "chai";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";
import { kernelState, newLines } from "../support/leftovers/kernel-state.ts";
import { killQuietly, processesNaming } from "../support/processes.ts";

const DONE_MS = 30_000;
const LOOK_MS = 50;
const STARTS = 6;
const SLEEP = ["busybox", "sleep", "1000"];

describe("e2e: what single containers leave on the machine", function () {
  this.timeout(180_000);
  let host: EngineHost;
  let clean: readonly string[] = [];

  before(async () => {
    host = await startEngineHost("e2eleft");
    // The default network stays, as Docker's does.
    const id = await docker("run", "-d", "-p", "8080:80", ...SLEEP);
    await docker("rm", "-f", id);
    const isOfIt = (line: string) => line.includes(id) || line.startsWith("link host mv");
    const isGone = async () => !(await state()).some(isOfIt);
    await eventually("the first is gone", isGone, DONE_MS, LOOK_MS);
    clean = await state();
  });
  after(async () => host?.close());

  const docker = (...args: string[]) => host.mustDocker(...args);
  const state = () => kernelState(host.cluster.lab, host.node);
  const stateOf = (name: string) => docker("inspect", "-f", "{{.State.Status}}", name);
  const removeAll = async () => {
    const ids = (await docker("ps", "-aq")).split("\n").filter((id) => id !== "");
    if (ids.length > 0) await docker("rm", "-f", "-v", ...ids);
    await docker("volume", "prune", "-f");
  };
  const expectNothing = async () => {
    let left: string[] = [];
    const isClean = async () => {
      left = newLines(clean, await state());
      return left.length === 0;
    };
    try {
      await eventually("nothing is left", isClean, DONE_MS, LOOK_MS);
    } catch (error) {
      throw new Error(`${(error as Error).message}:\n${left.join("\n")}`);
    }
  };

  it("is nothing, however they lived and ended", async () => {
    const health = ["--health-cmd", "true", "--health-interval", "1s"];
    await docker(
      "run",
      "-d",
      "--name",
      "rich",
      "-p",
      "8080:80",
      "-p",
      "53:53/udp",
      ...health,
      ...["-v", "/v"],
      ...["--tmpfs", "/t"],
      ...SLEEP,
    );
    await docker("run", "-d", "--name", "paused", "-v", "named:/v", ...SLEEP);
    await docker("pause", "paused");
    await docker("run", "-d", "--rm", "busybox", "true");
    await docker("run", "-d", "--restart", "on-failure:2", "--name", "failing", "busybox", "false");
    await docker("run", "-d", "--name", "orphan", ...SLEEP);
    expect(await host.failDocker("run", "-d", "busybox", "/nothing")).to.contain("no such file");
    expect(await host.failDocker("run", "-d", "-p", "8080:80", ...SLEEP)).to.contain("allocated");
    const id = await docker("inspect", "-f", "{{.Id}}", "orphan");
    for (const { pid, commandLine } of processesNaming(id))
      if (/^\S*conmon /.test(commandLine)) killQuietly(pid);
    await eventually(
      "its end is seen",
      async () => (await stateOf("orphan")) === "exited",
      DONE_MS,
    );
    await removeAll();
    await expectNothing();
  });

  it("is nothing after kill -9 of the daemon while it starts and removes them", async () => {
    const names = Array.from({ length: STARTS }, (_, index) => `c${index}`);
    const make = (name: string) =>
      docker("create", "--name", name, "-p", "80", "-v", "/v", ...SLEEP);
    await Promise.all(names.map(make));
    const [first = "", ...others] = names;
    await docker("start", first);
    // Each is somewhere else when the daemon is killed: as soon as the first of them runs.
    const calls = [
      ...others.map((name) => host.docker("start", name)),
      host.docker("rm", "-f", first),
    ];
    await Promise.race(calls);
    await host.node.kill("SIGKILL");
    await Promise.all(calls);
    await host.node.start();
    await removeAll();
    await expectNothing();
  });
});
