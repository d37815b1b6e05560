import { simulate } from "./raft/simulate.ts";

/** The simulations there are: each runs one seed and throws with `SEED=n:` and the first broken promise. */
export const SUITES = {
  raft: simulate,
} satisfies Record<string, (seed: number) => Promise<unknown>>;

export type SuiteName = keyof typeof SUITES;
