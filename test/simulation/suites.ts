import { simulateCluster } from "./cluster/simulate.ts";
import { simulate } from "./raft/simulate.ts";

/** The simulations there are: each runs one seed and throws with `SEED=n:` and the first broken promise. */
export const SUITES = {
  raft: (seed) => simulate(seed),
  cluster: simulateCluster,
} satisfies Record<string, (seed: number) => Promise<unknown>>;

export type SuiteName = keyof typeof SUITES;
