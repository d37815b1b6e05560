import { expect } from "chai";
import { entriesOf } from "../test/support/raft-sim/lone-member.ts";
import { EntryList } from "./entry-list.ts";

/** Entries 4 to 9, of the terms 2 2 3 3 5 5; 3 is forgotten, its term 2 known. */
function sample(): EntryList {
  const list = new EntryList({ index: 3, term: 2 });
  list.append(entriesOf([2, 2, 3, 3, 5, 5], 4));
  return list;
}

const indexes = (list: EntryList, ...range: [number, number, number?]): number[] =>
  list.slice(...range).map((entry) => entry.index);

describe("raft: the entries in memory", () => {
  for (const [index, term] of [
    [2, undefined],
    [3, 2],
    [4, 2],
    [9, 5],
    [10, undefined],
  ] as const) {
    it(`the term at ${index} is ${term ?? "unknown"}`, () => {
      expect(sample().term(index)).to.equal(term);
    });
  }

  it("a gap or a falling term is a bug", () => {
    expect(() => sample().append(entriesOf([5], 11))).to.throw("gap");
    expect(() => sample().append(entriesOf([4], 10))).to.throw("term falls");
  });

  it("a slice is cut by bytes, never to nothing", () => {
    expect(indexes(sample(), 5, 8)).to.deep.equal([5, 6, 7, 8]);
    expect(indexes(sample(), 5, 8, 1)).to.deep.equal([5]);
    expect(indexes(sample(), 5, 8, 60)).to.deep.equal([5, 6]);
    expect(indexes(sample(), 10, 12, 60)).to.deep.equal([]);
    expect(() => sample().slice(3, 5)).to.throw("compacted");
  });

  it("compaction forgets up to an index and keeps its term", () => {
    const list = sample();
    list.compact(6);
    expect([list.firstIndex, list.term(6), list.term(5)]).to.deep.equal([7, 3, undefined]);
    list.compact(5);
    expect(list.firstIndex).to.equal(7);
    list.compact(9);
    expect([list.firstIndex, list.last.index, list.last.term]).to.deep.equal([10, 9, 5]);
  });

  it("truncation drops from an index on, and not what is forgotten", () => {
    const list = sample();
    list.truncate(6);
    expect(list.last).to.include({ index: 5, term: 2 });
    expect(() => list.truncate(3)).to.throw("compacted");
  });

  for (const { index, term, expected, name } of [
    { name: "the index itself when its term is not greater", index: 7, term: 4, expected: 7 },
    { name: "the end of the last term that is not greater", index: 9, term: 4, expected: 7 },
    { name: "the end of the log when the index is past it", index: 20, term: 9, expected: 9 },
    { name: "the base", index: 9, term: 2, expected: 5 },
    { name: "before the base when even its term is greater", index: 9, term: 1, expected: 2 },
    { name: "the index when it is forgotten", index: 1, term: 1, expected: 1 },
  ]) {
    it(`agreement is sought at ${name}`, () => {
      expect(sample().findAgreement(index, term)).to.equal(expected);
    });
  }
});
