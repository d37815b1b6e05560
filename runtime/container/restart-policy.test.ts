import { expect } from "chai";
import { isStartedWithDaemon, planRestart } from "./restart-policy.ts";
import type { RestartPolicy } from "./settings.ts";

const policy = (kind: RestartPolicy["kind"], retriesMax = 0): RestartPolicy => ({
  kind,
  retriesMax,
});
const failed = { exitCode: 1, ranMs: 5, restartCount: 0, stoppedByUser: false, lastDelayMs: 0 };

describe("restart policy", () => {
  const cases = [
    { name: "no", policy: policy("no"), run: failed, expected: undefined },
    {
      name: "always after success",
      policy: policy("always"),
      run: { ...failed, exitCode: 0 },
      expected: 100,
    },
    { name: "on-failure after failure", policy: policy("on-failure"), run: failed, expected: 100 },
    {
      name: "on-failure after success",
      policy: policy("on-failure"),
      run: { ...failed, exitCode: 0 },
      expected: undefined,
    },
    {
      name: "the last retry",
      policy: policy("on-failure", 3),
      run: { ...failed, restartCount: 2 },
      expected: 100,
    },
    {
      name: "no retry left",
      policy: policy("on-failure", 3),
      run: { ...failed, restartCount: 3 },
      expected: undefined,
    },
    {
      name: "stopped by somebody",
      policy: policy("always"),
      run: { ...failed, stoppedByUser: true },
      expected: undefined,
    },
    {
      name: "the second in a row",
      policy: policy("unless-stopped"),
      run: { ...failed, lastDelayMs: 100 },
      expected: 200,
    },
    {
      name: "many in a row",
      policy: policy("always"),
      run: { ...failed, lastDelayMs: 51_200 },
      expected: 60_000,
    },
    {
      name: "after a steady run",
      policy: policy("always"),
      run: { ...failed, lastDelayMs: 51_200, ranMs: 10_000 },
      expected: 100,
    },
  ];
  for (const { name, policy, run, expected } of cases)
    it(`waits ${expected ?? "for nobody"}: ${name}`, () =>
      expect(planRestart(policy, run)).to.equal(expected));

  const atStart = [
    { kind: "no", stoppedByUser: false, expected: false },
    { kind: "on-failure", stoppedByUser: false, expected: false },
    { kind: "always", stoppedByUser: true, expected: true },
    { kind: "unless-stopped", stoppedByUser: false, expected: true },
    { kind: "unless-stopped", stoppedByUser: true, expected: false },
  ] as const;
  for (const { kind, stoppedByUser, expected } of atStart)
    it(`${kind}, ${stoppedByUser ? "stopped" : "ended"}: started with the daemon: ${expected}`, () =>
      expect(isStartedWithDaemon(policy(kind), { stoppedByUser })).to.equal(expected));
});
