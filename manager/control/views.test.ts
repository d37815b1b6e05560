import { expect } from "chai";
import { chunked, LIST_CHUNK_BYTES } from "./views.ts";

describe("control: lists in chunks", () => {
  const sizes = (items: readonly number[]) =>
    [...chunked(items, (size) => size)].map((c) => c.length);

  const cases = [
    { name: "nothing in no chunk", items: [], expected: [] },
    { name: "what fits in one", items: [1, 2, LIST_CHUNK_BYTES - 3], expected: [3] },
    { name: "one byte more in two", items: [1, 2, LIST_CHUNK_BYTES - 2], expected: [2, 1] },
    { name: "one too large by itself", items: [1, LIST_CHUNK_BYTES * 2, 1], expected: [1, 1, 1] },
  ];
  for (const { name, items, expected } of cases) {
    it(`puts ${name}`, () => expect(sizes(items)).to.deep.equal(expected));
  }
});
