import { assert } from "../../core/assert.ts";
import { decide } from "./decide.ts";
import { observe } from "./observe.ts";
import type { TaskEvent } from "./task-event.ts";
import type { TaskEffect, TaskModel } from "./task-model.ts";
import { withStatus } from "./task-status.ts";

/** What one event led to. */
export interface Step {
  readonly task: TaskModel;
  readonly effect: TaskEffect | undefined;
  readonly cancel: boolean;
  readonly wakeAtMs: number | undefined;
  readonly forget: boolean;
}

/** States a task passes between two effects, with room to spare: more is a loop in our own rules. */
const STATUSES_PER_STEP_MAX = 16;

/**
 * The task controller: takes in one event and decides until there is something to do or to wait for.
 *
 * Invariants: `step.task.status.state >= task.status.state`; an effect is only given when none is under way.
 */
export function stepTask(task: TaskModel, event: TaskEvent, nowMs: number): Step {
  let next = observe(task, event, nowMs);
  for (let i = 0; i < STATUSES_PER_STEP_MAX; i++) {
    const { status, effect, cancel, wakeAtMs, forget } = decide(next, nowMs);
    if (status === undefined) {
      if (effect !== undefined) next = { ...next, busy: effect.kind };
      return { task: next, effect, cancel: cancel === true, wakeAtMs, forget: forget === true };
    }
    assert(status.state > next.status.state, `task state may only rise to ${status.state}`);
    next = withStatus(next, status, nowMs);
  }
  assert(false, "a task passed more states in one step than there are");
}
