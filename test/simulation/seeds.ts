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
];
