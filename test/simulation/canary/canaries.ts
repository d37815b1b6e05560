/** One broken promise, planted in the product's own code while it is loaded, and only there. */
export interface Canary {
  /** The file it is planted in, from the repository's root. */
  readonly file: string;
  /** Text that is there once. */
  readonly find: string;
  readonly replace: string;
  /** Which simulation must notice. */
  readonly suite: "raft" | "cluster";
  /** Invariants, of which one must be what is broken first. */
  readonly caughtBy: readonly string[];
  /** Runs within which that must happen. */
  readonly runsMax: number;
  /** The first seed; chosen where the first to notice comes late. */
  readonly from: number;
}

/** What the simulation must find out, or it proves nothing. */
export const CANARIES: Readonly<Record<string, Canary>> = {
  "fsync is off": {
    file: "manager/log/disk/memory-disk.ts",
    find: "if (!this.#disk.syncsLie) this.#inode.makeDurable(sectors);",
    replace: "void sectors;",
    suite: "raft",
    caughtBy: [
      "StartsAgain",
      "AckedWritesDurable",
      "VotesPersist",
      "TermAndCommitRise",
      "LeaderCompleteness",
      "StateMachineSafety",
      "ElectionSafety",
    ],
    from: 1,
    runsMax: 50,
  },
  "a vote is not persisted": {
    file: "raft-ts/raft.ts",
    find: "return { term: this.#term, vote: this.#vote, commit: this.log.commit };",
    replace: "return { term: this.#term, vote: 0, commit: this.log.commit };",
    suite: "raft",
    caughtBy: ["VotesPersist", "ElectionSafety"],
    from: 1,
    runsMax: 200,
  },
  "entries of earlier terms are committed by counting (§5.4.2)": {
    file: "raft-ts/replication.ts",
    find: "if (index <= raft.log.commit || raft.log.term(index) !== raft.term) return;",
    replace: "if (index <= raft.log.commit) return;",
    suite: "raft",
    caughtBy: ["CommitOwnTerm"],
    from: 1,
    runsMax: 50,
  },
  "any member answers reads from what it has": {
    file: "manager/log/raft-log.ts",
    find: "return this.#driver.requests.read();",
    replace: "return Promise.resolve();",
    suite: "raft",
    caughtBy: ["Linearizable"],
    from: 1,
    runsMax: 20,
  },
  "the leader's own state is served without asking whether it leads still": {
    file: "manager/control/leader-parts.ts",
    find: "await replicatedLog.readBarrier();",
    replace: "void replicatedLog;",
    suite: "cluster",
    caughtBy: ["Linearizable"],
    from: 310,
    runsMax: 300,
  },
  "a watch does not remember all it has given": {
    file: "manager/store/watch-queue.ts",
    find: "this.#place += events.length;",
    replace: "this.#place += Math.ceil(events.length / 2);",
    suite: "cluster",
    caughtBy: ["WatchUnique"],
    from: 1,
    runsMax: 10,
  },
};
