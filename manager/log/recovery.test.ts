import { expect } from "chai";
import type { Entry, SnapshotMeta } from "../../raft-ts/types.ts";
import { recoverState, replayBatches } from "./recovery.ts";
import type { WalBatch } from "./wal/batch.ts";

function entry(index: number, term = 1): Entry {
  return { index, term, kind: "normal", data: new Uint8Array(0) };
}

function batch(part: Partial<WalBatch>): WalBatch {
  return { hardState: undefined, restart: undefined, entries: [], ...part };
}

function snapshot(index: number, term = 1): SnapshotMeta {
  return { index, term, confState: { voters: [1], votersOutgoing: [], learners: [] } };
}

/** `1.1` is index 1 of term 1. */
function show(entries: readonly Entry[]): string {
  return entries.map(({ index, term }) => `${index}.${term}`).join(" ");
}

const KEEP_ALL = 1000;

describe("recovery: replay", () => {
  it("starts from nothing", () => {
    const { hardState, entries } = replayBatches([]);
    expect(hardState).to.deep.equal({ term: 0, vote: 0, commit: 0 });
    expect(entries).to.deep.equal([]);
  });

  it("keeps the last hard state and lets a later entry replace all from its index on", () => {
    const log = replayBatches([
      batch({
        hardState: { term: 1, vote: 1, commit: 0 },
        entries: [1, 2, 3].map((i) => entry(i)),
      }),
      batch({ entries: [entry(2, 2)] }),
      batch({ hardState: { term: 2, vote: 3, commit: 1 } }),
    ]);
    expect(show(log.entries)).to.equal("1.1 2.2");
    expect(log.hardState).to.deep.equal({ term: 2, vote: 3, commit: 1 });
  });

  it("lets an entry before the first one replace all: those between were purged", () => {
    const log = replayBatches([
      batch({ entries: [entry(55), entry(56)] }),
      batch({ entries: [entry(33, 3), entry(34, 3)] }),
    ]);
    expect(show(log.entries)).to.equal("33.3 34.3");
  });

  it("restarts after a snapshot of the leader", () => {
    const log = replayBatches([
      batch({ entries: [entry(1), entry(2)] }),
      batch({ restart: { index: 90, term: 4 }, entries: [entry(91, 4)] }),
    ]);
    expect(show(log.entries)).to.equal("91.4");
  });

  it("refuses a hole", () => {
    const hole = [batch({ entries: [entry(1)] }), batch({ entries: [entry(3)] })];
    expect(() => replayBatches(hole)).to.throw(/entry 3 follows where 2 belongs/);
    const behind = [batch({ restart: { index: 5, term: 1 }, entries: [entry(7)] })];
    expect(() => replayBatches(behind)).to.throw(/entry 7 follows where 6 belongs/);
  });
});

describe("recovery: joining log and snapshot", () => {
  const cases: readonly {
    name: string;
    log: readonly WalBatch[];
    snapshot?: SnapshotMeta;
    keep?: number;
    entries: string;
    restart?: number;
  }[] = [
    { name: "a log alone", log: [batch({ entries: [entry(1), entry(2)] })], entries: "1.1 2.1" },
    {
      name: "a snapshot inside the log",
      log: [batch({ entries: [1, 2, 3].map((i) => entry(i)) })],
      snapshot: snapshot(2),
      entries: "1.1 2.1 3.1",
    },
    {
      name: "a snapshot inside the log, a tail of one entry kept",
      log: [batch({ entries: [1, 2, 3].map((i) => entry(i)) })],
      snapshot: snapshot(2),
      keep: 1,
      entries: "2.1 3.1",
    },
    {
      name: "a purged log that starts right after the snapshot",
      log: [batch({ entries: [entry(8), entry(9)] })],
      snapshot: snapshot(7),
      entries: "8.1 9.1",
    },
    {
      name: "a snapshot of the leader beyond the log",
      log: [batch({ entries: [entry(1)] })],
      snapshot: snapshot(7),
      entries: "",
      restart: 7,
    },
    {
      name: "a snapshot of the leader against a log of another term",
      log: [batch({ entries: [1, 2, 3].map((i) => entry(i)) })],
      snapshot: snapshot(2, 5),
      entries: "",
      restart: 2,
    },
    {
      name: "a snapshot of the leader that the log tells of",
      log: [batch({ restart: { index: 7, term: 1 }, entries: [entry(8)] })],
      snapshot: snapshot(7),
      entries: "8.1",
    },
  ];
  for (const { name, log, snapshot: meta, keep = KEEP_ALL, entries, restart } of cases) {
    it(name, () => {
      const recovered = recoverState(replayBatches(log), meta, { keepEntries: keep });
      expect(show(recovered.stored.entries)).to.equal(entries);
      expect(recovered.restart?.index).to.equal(restart);
      expect(recovered.stored.hardState.commit).to.be.at.least(meta?.index ?? 0);
    });
  }

  it("takes the snapshot's term when it is newer, without a vote", () => {
    const log = replayBatches([batch({ hardState: { term: 2, vote: 3, commit: 0 } })]);
    const { hardState } = recoverState(log, snapshot(7, 4), { keepEntries: KEEP_ALL }).stored;
    expect(hardState).to.deep.equal({ term: 4, vote: 0, commit: 7 });
  });

  const refused: readonly { name: string; log: readonly WalBatch[]; snapshot?: SnapshotMeta }[] = [
    { name: "a purged log without its snapshot", log: [batch({ entries: [entry(8)] })] },
    {
      name: "an older snapshot that the log does not reach back to",
      log: [batch({ entries: [entry(8)] })],
      snapshot: snapshot(5),
    },
    {
      name: "a log that restarted after a snapshot that is gone",
      log: [batch({ restart: { index: 9, term: 1 } })],
      snapshot: snapshot(5),
    },
    {
      name: "a log that ends before what was committed",
      log: [batch({ hardState: { term: 1, vote: 0, commit: 4 }, entries: [entry(1)] })],
    },
  ];
  for (const { name, log, snapshot: meta } of refused) {
    it(`refuses ${name}`, () => {
      expect(() => recoverState(replayBatches(log), meta, { keepEntries: KEEP_ALL })).to.throw(
        /incomplete/,
      );
    });
  }
});
