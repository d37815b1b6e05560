import { expect } from "chai";
import { type RestartPolicy, Task, TaskState } from "../../proto/gen/objects.ts";
import type { StoredTask } from "../store/objects.ts";
import { planRestart } from "./restart-policy.ts";

const NOW = 1_000_000;
const NONE = 1;
const ON_FAILURE = 2;
const ANY = 3;

/** A task that ended now after running for `ranMs` (undefined: it never ran). */
function ended(state: TaskState, ranMs?: number, restarts?: StoredTask["restarts"]): StoredTask {
  const status = { state, timestampMs: NOW, message: "", err: "", appliedAtMs: NOW };
  const running = ranMs === undefined ? {} : { runningAtMs: NOW - ranMs };
  const meta = { version: 1, createdAtMs: 0, updatedAtMs: 0 };
  return { ...Task.create(), meta, restarts, status: { ...status, ...running } };
}

describe("orchestrator: restart policy", () => {
  const record = (attempts: number, quickFailures = 0, windowStartMs = NOW - 50_000) => ({
    attempts,
    windowStartMs,
    quickFailures,
  });
  const cases: readonly {
    readonly name: string;
    readonly policy?: RestartPolicy;
    readonly task: StoredTask;
    readonly delayMs: number | undefined;
  }[] = [
    { name: "any, by default, after 5 s", task: ended(TaskState.COMPLETE, 1e6), delayMs: 5_000 },
    {
      name: "none",
      policy: { condition: NONE },
      task: ended(TaskState.FAILED),
      delayMs: undefined,
    },
    {
      name: "on failure: not after success",
      policy: { condition: ON_FAILURE },
      task: ended(TaskState.COMPLETE),
      delayMs: undefined,
    },
    {
      name: "on failure: after a rejection",
      policy: { condition: ON_FAILURE, delayNs: 0 },
      task: ended(TaskState.REJECTED),
      delayMs: 0,
    },
    {
      name: "no more than max attempts",
      policy: { condition: ANY, maxAttempts: 3 },
      task: ended(TaskState.FAILED, 1e6, record(3)),
      delayMs: undefined,
    },
    {
      name: "as many again in the next window",
      policy: { condition: ANY, maxAttempts: 3, windowNs: 40e9, delayNs: 1e9 },
      task: ended(TaskState.FAILED, 1e6, record(3)),
      delayMs: 1_000,
    },
    {
      name: "quick failures wait twice as long each",
      task: ended(TaskState.FAILED, 10, record(2, 2)),
      delayMs: 20_000,
    },
    {
      name: "quick failures without a delay are slowed down too",
      policy: { condition: ANY, delayNs: 0 },
      task: ended(TaskState.FAILED, 10, record(4, 4)),
      delayMs: 16_000,
    },
    {
      name: "never longer than five minutes",
      task: ended(TaskState.FAILED, undefined, record(50, 50)),
      delayMs: 300_000,
    },
    {
      name: "unless the policy's delay is longer",
      policy: { condition: ANY, delayNs: 600e9 },
      task: ended(TaskState.FAILED, undefined, record(50, 50)),
      delayMs: 600_000,
    },
    {
      name: "a long run ends the row",
      task: ended(TaskState.FAILED, 30_000, record(9, 9)),
      delayMs: 5_000,
    },
    {
      name: "a success ends the row",
      task: ended(TaskState.COMPLETE, 10, record(9, 9)),
      delayMs: 5_000,
    },
  ];
  for (const { name, policy, task, delayMs } of cases) {
    it(name, () => {
      const restart = planRestart(policy, task, NOW);
      expect(restart && restart.startAfterMs - NOW).to.equal(delayMs);
    });
  }

  it("remembers what the next one must know", () => {
    const policy = { condition: ANY, windowNs: 40e9 } as const;
    const first = planRestart(policy, ended(TaskState.FAILED, 10), NOW)?.record;
    expect(first).to.deep.equal({ attempts: 1, windowStartMs: NOW, quickFailures: 1 });
    const second = planRestart(policy, ended(TaskState.FAILED, 10, first), NOW + 39_000)?.record;
    expect(second).to.deep.equal({ attempts: 2, windowStartMs: NOW, quickFailures: 2 });
    const third = planRestart(policy, ended(TaskState.FAILED, 10, second), NOW + 41_000)?.record;
    expect(third).to.include({ attempts: 1, windowStartMs: NOW + 41_000 });
  });
});
