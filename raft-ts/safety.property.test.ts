import { expect } from "chai";
import { type ChaosOptions, runChaos } from "../test/support/raft-sim/chaos.ts";

const SEEDS = 30;

/** `SEED=n` runs that one alone; `SEEDS=n` that many. */
function seeds(): number[] {
  if (process.env.SEED !== undefined) return [Number(process.env.SEED)];
  return Array.from({ length: Number(process.env.SEEDS ?? SEEDS) }, (_, i) => i + 1);
}

const GROUPS: readonly (Omit<ChaosOptions, "seed"> & { readonly title: string })[] = [
  { title: "of three members", members: 3, steps: 2000, changesMembers: false },
  { title: "of five members", members: 5, steps: 5000, changesMembers: false },
  { title: "whose members change", members: 3, steps: 3000, changesMembers: true },
  ...[3, 5].map((members) => ({
    title: `of ${members} whose leader serves reads by a lease`,
    members,
    steps: 10_000,
    changesMembers: members === 3,
    hasLeases: true,
  })),
];

/**
 * Loss, repetition, disorder, partition, crash with loss of what was not flushed, restart, compaction, transfer: never two
 * leaders in a term, a leader without a committed entry, a commit that is not on a majority's disks, two different
 * entries applied at one index, a stale read; and when the faults end the group serves.
 */
describe("raft: safety and recovery of a group", () => {
  for (const { title, ...group } of GROUPS) {
    it(title, function () {
      this.timeout(120_000);
      let commits = 0;
      let elections = 0;
      for (const seed of seeds()) {
        const report = guarded(seed, () => runChaos({ ...group, seed }));
        commits += report.commits;
        elections += report.elections;
      }
      // A run in which nothing happens proves nothing.
      expect(commits / seeds().length, "commits per run").to.be.above(10);
      expect(elections / seeds().length, "elections per run").to.be.above(1.2);
    });
  }
});

function guarded<T>(seed: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`SEED=${seed}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}
