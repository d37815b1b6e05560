import type { Change } from "../../proto/gen/store.ts";
import type { StoreEvent } from "../store/apply.ts";
import type { View } from "../store/tables.ts";

/** What a planner wants done now. */
export interface Plan {
  /** Each group is made whole or not at all, in this order. Empty: all is as it should be. */
  readonly groups: readonly (readonly Change[])[];
  /** When to plan again although nothing changed. */
  readonly wakeAtMs: number | undefined;
}

/**
 * One control loop's decisions. It remembers what needs a look, never what it decided: that is in the store. So a new
 * leader's planner, or one that was reset, comes to the same end.
 */
export interface Planner {
  readonly name: string;
  /** Starts over from this state: everything needs a look. */
  reset(view: View): void;
  /** Notes what a change makes worth a look; `view` is the state after it or a later one. Cheap. */
  observe(view: View, event: StoreEvent): void;
  /**
   * Looks at what needs it and says what to do; the loop makes the changes and asks again until there are none. Bounded:
   * what is left over stays noted for the next call.
   */
  plan(view: View, nowMs: number): Plan;
}

/** Nothing to do, nothing to wait for. */
export const NO_PLAN: Plan = { groups: [], wakeAtMs: undefined };

/** The earlier of two times that may be absent. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
