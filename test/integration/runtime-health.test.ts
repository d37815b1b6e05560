import { expect } from "chai";
import type { HealthConfig, HealthState } from "../../runtime/container/types.ts";
import type { Engine } from "../../runtime/engine.ts";
import {
  busyboxConfig,
  destroyEngine,
  type EngineRoots,
  findLeftovers,
  makeRoots,
  openEngine,
} from "../support/runtime/engine-fixture.ts";

const CHECK: HealthConfig = {
  test: ["CMD-SHELL", "cat /sick && exit 1; echo fine"],
  intervalMs: 50,
  timeoutMs: 5000,
  retries: 2,
  startPeriodMs: 0,
  startIntervalMs: 0,
};

describe("runtime: health", function () {
  this.timeout(30_000);
  let roots: EngineRoots;
  let engine: Engine;

  before(async () => {
    roots = makeRoots();
    engine = await openEngine(roots);
  });

  after(async () => {
    await destroyEngine(engine, roots);
    expect(findLeftovers(roots.base)).to.deep.equal([]);
  });

  /** Waits for the next change of health. */
  function nextHealth(): Promise<HealthState> {
    return new Promise((resolve) => {
      const stop = engine.containers.onEvent((event) => {
        if (event.kind !== "health") return;
        stop();
        resolve(event.state);
      });
    });
  }

  async function startWith(name: string, health: HealthConfig, command = ["sleep", "1000"]) {
    const { id } = await engine.containers.create(busyboxConfig(name, command, { health }));
    const change = nextHealth();
    await engine.containers.start(id);
    return { id, change };
  }

  it("begins as starting, is healthy after a success, unhealthy after `retries` failures, and healthy again", async () => {
    const { id, change } = await startWith("patient", CHECK);
    expect(engine.containers.get(id).health.state).to.equal("starting");
    expect(await change).to.equal("healthy");

    const worse = nextHealth();
    await engine.containers.exec(id, ["sh", "-c", "echo ill > /sick"], 5000);
    expect(await worse).to.equal("unhealthy");
    const { health } = engine.containers.get(id);
    expect(health.failingStreak).to.be.at.least(2);
    expect(health.log.at(-1)).to.include({ exitCode: 1, output: "ill\n" });

    const better = nextHealth();
    await engine.containers.exec(id, ["rm", "/sick"], 5000);
    expect(await better).to.equal("healthy");
    await engine.containers.remove(id, { force: true });
  });

  it("fails a check that takes too long and ends its program", async () => {
    const { id, change } = await startWith("slow", {
      ...CHECK,
      test: ["CMD", "sleep", "999"],
      timeoutMs: 200,
      retries: 1,
    });
    expect(await change).to.equal("unhealthy");
    const last = engine.containers.get(id).health.log.at(-1);
    expect(last).to.include({ exitCode: -1, output: "Health check exceeded timeout (200ms)" });
    const { output } = await engine.containers.exec(id, ["ps"], 5000);
    expect(output).to.not.include("sleep 999");
    await engine.containers.remove(id, { force: true });
  });

  it("says nothing of a container that ends in the middle of its check", async () => {
    const states: string[] = [];
    const stop = engine.containers.onEvent((event) => {
      if (event.kind === "health") states.push(event.state);
    });
    const test = ["CMD-SHELL", "kill -TERM 1; sleep 1000"];
    const command = ["sh", "-c", "trap exit TERM; sleep 1000 & wait"];
    const { id } = await startWith("ending", { ...CHECK, test, retries: 1 }, command);
    await engine.containers.wait(id);
    stop();
    expect(states).to.deep.equal([]);
    expect(engine.containers.get(id).health.log).to.deep.equal([]);
    await engine.containers.remove(id, { force: true });
  });

  it("stays unhealthy or healthy for the engine that takes the container up", async () => {
    const { id, change } = await startWith("carried", CHECK);
    expect(await change).to.equal("healthy");
    await engine.close();
    engine = await openEngine(roots);
    expect(engine.containers.get(id).health.state).to.equal("healthy");
    const worse = nextHealth();
    await engine.containers.exec(id, ["touch", "/sick"], 5000);
    expect(await worse).to.equal("unhealthy");
    await engine.containers.remove(id, { force: true });
  });
});
