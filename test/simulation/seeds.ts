import type { SuiteName } from "./suites.ts";

/** A run that once found a fault, kept so that it stays found. */
export interface KeptSeed {
  readonly suite: SuiteName;
  readonly seed: number;
  /** What it found. */
  readonly found: string;
}

export const KEPT_SEEDS: readonly KeptSeed[] = [
  {
    suite: "cluster",
    seed: 1,
    found:
      "the orchestrator planned the end of a removed service's tasks up to 5,000 times in one plan (PlannedOnce)",
  },
  {
    suite: "cluster",
    seed: 40,
    found: "restarts waited for as long as a wall clock had been wrong (EventuallyAsDesired)",
  },
  {
    suite: "cluster",
    seed: 42,
    found:
      "start-first waited a minute for the old task when a new one had failed once (EventuallyAsDesired)",
  },
  {
    suite: "cluster",
    seed: 16,
    found:
      "a demoted manager asked to be let in again when it heard that it was taken out (EventuallyAsDesired)",
  },
];
