import { expect } from "chai";
import { entriesOf } from "../test/support/raft-sim/lone-member.ts";
import type { SnapshotMeta, StoredState } from "./index.ts";
import { RaftLog } from "./log.ts";

const snapshotAt = (index: number, term: number): SnapshotMeta => ({
  index,
  term,
  confState: { voters: [1], votersOutgoing: [], learners: [] },
});

function logOf(terms: readonly number[], stored: Partial<StoredState> = {}): RaftLog {
  const hardState = { term: terms.at(-1) ?? 0, vote: 0, commit: 0 };
  return new RaftLog({ hardState, snapshot: undefined, entries: entriesOf(terms), ...stored });
}

describe("raft: a log as it is read back", () => {
  const terms = [1, 1, 2, 2];
  const cases: readonly {
    name: string;
    entries: ReturnType<typeof entriesOf>;
    snapshot: SnapshotMeta | undefined;
    range: [number, number];
  }[] = [
    { name: "nothing", entries: [], snapshot: undefined, range: [1, 0] },
    { name: "entries only", entries: entriesOf(terms), snapshot: undefined, range: [1, 4] },
    { name: "a snapshot only", entries: [], snapshot: snapshotAt(7, 2), range: [8, 7] },
    {
      name: "a snapshot and what follows it",
      entries: entriesOf(terms, 8),
      snapshot: snapshotAt(7, 1),
      range: [8, 11],
    },
    {
      name: "entries from before the snapshot: the first serves as base",
      entries: entriesOf(terms, 5),
      snapshot: snapshotAt(7, 2),
      range: [6, 8],
    },
    {
      name: "entries from the very first on",
      entries: entriesOf(terms),
      snapshot: snapshotAt(2, 1),
      range: [1, 4],
    },
    {
      name: "entries that end before the snapshot: void",
      entries: entriesOf(terms),
      snapshot: snapshotAt(9, 2),
      range: [10, 9],
    },
    {
      name: "entries of another leader than the snapshot's: void",
      entries: entriesOf(terms),
      snapshot: snapshotAt(3, 3),
      range: [4, 3],
    },
  ];
  for (const { name, entries, snapshot, range } of cases) {
    it(name, () => {
      const log = logOf([], { entries, snapshot });
      expect([log.firstIndex, log.last.index]).to.deep.equal(range);
    });
  }

  it("a gap after the snapshot is lost data", () => {
    expect(() => logOf([], { entries: entriesOf([1], 9), snapshot: snapshotAt(7, 1) })).to.throw(
      "entries between are lost",
    );
  });

  it("a commit ahead of a torn tail is lowered to the last entry", () => {
    expect(logOf([1, 1], { hardState: { term: 1, vote: 0, commit: 9 } }).commit).to.equal(2);
  });
});

describe("raft: merging a leader's entries", () => {
  const cases: readonly {
    name: string;
    prev: [number, number];
    terms: readonly number[];
    lastNew: number | undefined;
    after: readonly number[];
  }[] = [
    { name: "none", prev: [3, 2], terms: [], lastNew: 3, after: [1, 1, 2] },
    { name: "at the end", prev: [3, 2], terms: [2, 3], lastNew: 5, after: [1, 1, 2, 2, 3] },
    { name: "partly known", prev: [1, 1], terms: [1, 2, 3], lastNew: 4, after: [1, 1, 2, 3] },
    { name: "all known", prev: [0, 0], terms: [1, 1], lastNew: 2, after: [1, 1, 2] },
    { name: "in conflict", prev: [1, 1], terms: [3], lastNew: 2, after: [1, 3] },
    { name: "after a gap", prev: [4, 2], terms: [3], lastNew: undefined, after: [1, 1, 2] },
    { name: "after another term", prev: [3, 3], terms: [3], lastNew: undefined, after: [1, 1, 2] },
  ];
  for (const { name, prev, terms, lastNew, after } of cases) {
    it(`entries ${name}`, () => {
      const log = logOf([1, 1, 2]);
      const [index, term] = prev;
      expect(log.merge({ index, term }, entriesOf(terms, index + 1))).to.equal(lastNew);
      expect(log.slice(1, Number.POSITIVE_INFINITY).map((entry) => entry.term)).to.deep.equal(
        after,
      );
    });
  }

  it("what replaces written entries is to be written again", () => {
    const log = logOf([1, 1, 1]);
    log.merge({ index: 1, term: 1 }, entriesOf([2, 2], 2));
    expect(log.takeUnsaved().entries.map(({ index, term }) => [index, term])).to.deep.equal([
      [2, 2],
      [3, 2],
    ]);
    expect(log.takeUnsaved().entries).to.deep.equal([]);
  });

  it("a committed entry is never replaced", () => {
    const log = logOf([1, 1, 1]);
    log.commitTo(2);
    expect(() => log.merge({ index: 1, term: 1 }, entriesOf([2], 2))).to.throw("two leaders");
  });

  it("a commit past the end means that acknowledged entries are lost, and says what to do", () => {
    expect(() => logOf([1]).commitTo(5)).to.throw("join under a new raft id");
  });
});

describe("raft: handing out what is committed", () => {
  it("in portions, each once, in order", () => {
    const log = logOf([1, 1, 1]);
    log.commitTo(3);
    const portions = [1, 1, 1, 1].map((bytes) =>
      log.takeCommitted(bytes).map(({ index }) => index),
    );
    expect(portions).to.deep.equal([[1], [2], [3], []]);
  });

  it("cannot be applied before it was handed out, nor compacted before it was applied", () => {
    const log = logOf([1, 1]);
    log.commitTo(2);
    expect(() => log.appliedTo(1)).to.throw("not handed out");
    log.takeCommitted(1000);
    expect(() => log.compact(snapshotAt(2, 1), 2)).to.throw("ahead of the applied");
    log.appliedTo(2);
    log.compact(snapshotAt(2, 1), 2);
    expect(log.firstIndex).to.equal(3);
  });
});
