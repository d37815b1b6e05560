import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import type { HealthConfig, HealthStatus } from "../container/types.ts";
import {
  afterCheck,
  HEALTH_LOG_MAX,
  nextCheckDelayMs,
  STARTING_HEALTH,
  timeoutOutput,
} from "./health.ts";
import { planHealth } from "./health-plan.ts";

const ASKED: HealthConfig = {
  test: ["CMD", "check"],
  intervalMs: 1000,
  timeoutMs: 100,
  retries: 3,
  startPeriodMs: 5000,
  startIntervalMs: 200,
};
const PLAN = { ...ASKED, command: ["check"] };
const EMPTY: HealthConfig = {
  test: [],
  intervalMs: 0,
  timeoutMs: 0,
  retries: 0,
  startPeriodMs: 0,
  startIntervalMs: 0,
};

describe("health", () => {
  /** Runs checks that begin at the given times after the start and fail (`-`) or succeed (`+`). */
  function history(checks: readonly (readonly [number, "+" | "-"])[]): HealthStatus[] {
    const seen: HealthStatus[] = [];
    let health = STARTING_HEALTH;
    for (const [startMs, sign] of checks) {
      const exitCode = sign === "+" ? 0 : 1;
      health = afterCheck(health, PLAN, 0, { startMs, endMs: startMs, exitCode, output: "" });
      seen.push(health);
    }
    return seen;
  }
  const states = (...checks: (readonly [number, "+" | "-"])[]) =>
    history(checks).map(({ state }) => state);

  it("is healthy after one success", () => expect(states([0, "+"])).to.deep.equal(["healthy"]));
  it("is unhealthy after as many failures in a row as retries", () =>
    expect(states([6000, "-"], [7000, "-"], [8000, "-"])).to.deep.equal([
      "starting",
      "starting",
      "unhealthy",
    ]));
  it("forgets failures at a success", () =>
    expect(states([0, "+"], [1, "-"], [2, "-"], [3, "+"], [4, "-"], [5, "-"])).to.deep.equal(
      Array(6).fill("healthy"),
    ));
  it("does not count failures in the start period", () => {
    const last = history([
      [1000, "-"],
      [2000, "-"],
      [3000, "-"],
      [4999, "-"],
    ]).at(-1);
    expect(last).to.include({ state: "starting", failingStreak: 0 });
    expect(last?.log).to.have.length(4);
  });
  it("counts them there too once it has been healthy", () =>
    expect(states([0, "+"], [1, "-"], [2, "-"], [3, "-"]).at(-1)).to.equal("unhealthy"));
  it("comes back by one success", () =>
    expect(states([0, "+"], [1, "-"], [2, "-"], [3, "-"], [4, "+"]).at(-1)).to.equal("healthy"));
  it("keeps the newest results, not all", () => {
    const checks = Array.from({ length: 9 }, (_, index) => [index, "+"] as const);
    const log = history(checks).at(-1)?.log ?? [];
    expect(log.map(({ startMs }) => startMs)).to.deep.equal([4, 5, 6, 7, 8]);
    expect(log).to.have.length(HEALTH_LOG_MAX);
  });

  it("looks more often in the start period, until it has been healthy", () => {
    const healthy: HealthStatus = { ...STARTING_HEALTH, state: "healthy" };
    expect(nextCheckDelayMs(STARTING_HEALTH, PLAN, 0, 4000)).to.equal(200);
    expect(nextCheckDelayMs(STARTING_HEALTH, PLAN, 0, 5000)).to.equal(1000);
    expect(nextCheckDelayMs(healthy, PLAN, 0, 4000)).to.equal(1000);
  });
});

describe("health: plan", () => {
  it("is none without a test and with NONE, whatever the image says", () => {
    expect(planHealth(undefined, undefined)).to.equal(undefined);
    expect(planHealth({ ...EMPTY, test: ["NONE"] }, ASKED)).to.equal(undefined);
  });
  it("fills what the container leaves open from the image, then the defaults", () =>
    expect(
      planHealth({ ...EMPTY, intervalMs: 7 }, { ...EMPTY, test: ["CMD-SHELL", "x y"], retries: 9 }),
    ).to.deep.equal({
      command: ["/bin/sh", "-c", "x y"],
      intervalMs: 7,
      timeoutMs: 30_000,
      retries: 9,
      startPeriodMs: 0,
      startIntervalMs: 5000,
    }));
  for (const changes of [
    { test: ["CMD"] },
    { test: ["CMD-SHELL", "a", "b"] },
    { test: ["RUN", "a"] },
    { intervalMs: -1 },
    { retries: 1.5 },
    { timeoutMs: 0.1 },
    { startPeriodMs: Number.POSITIVE_INFINITY },
  ])
    it(`refuses ${JSON.stringify(changes)}`, () =>
      expect(() => planHealth({ ...ASKED, ...changes }, undefined))
        .to.throw(ClusterError, /invalid health check/)
        .with.property("code", "InvalidArgument"));
});

describe("health: a check that takes too long", () => {
  for (const [ms, text] of [
    [300, "300ms"],
    [1500, "1.5s"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
  ] as const)
    it(`says ${text} as Docker does`, () =>
      expect(timeoutOutput(ms)).to.equal(`Health check exceeded timeout (${text})`));
});
