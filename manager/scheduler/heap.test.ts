import { expect } from "chai";
import { randomInt, seededRandom } from "../../core/random.ts";
import { Heap } from "./heap.ts";

describe("scheduler: heap", () => {
  it("gives items in order, also those that grow at the top", () => {
    const random = seededRandom(7);
    const items = Array.from({ length: 200 }, () => ({ rank: randomInt(random, 50) }));
    const heap = new Heap(items, (a, b) => a.rank < b.rank);
    let last = -1;
    for (let i = 0; i < 2_000; i++) {
      const top = heap.top();
      if (top === undefined) throw new Error("empty");
      expect(top.rank).to.be.at.least(last);
      last = top.rank;
      top.rank += randomInt(random, 5);
      heap.topChanged();
    }
    const rest: number[] = [];
    for (let item = heap.pop(); item !== undefined; item = heap.pop()) rest.push(item.rank);
    expect(rest).to.deep.equal([...rest].sort((a, b) => a - b));
    expect(rest.length).to.equal(200);
    expect(heap.top()).to.equal(undefined);
  });
});
