import { expect } from "chai";
import { CHUNK_BYTES_MAX } from "../../proto/limits.ts";
import { chunked } from "./views.ts";

describe("control: lists in chunks", () => {
  const sizes = (items: readonly number[]) =>
    [...chunked(items, (size) => size)].map((c) => c.length);

  const cases = [
    { name: "nothing in no chunk", items: [], expected: [] },
    { name: "what fits in one", items: [1, 2, CHUNK_BYTES_MAX - 3], expected: [3] },
    { name: "one byte more in two", items: [1, 2, CHUNK_BYTES_MAX - 2], expected: [2, 1] },
    { name: "one too large by itself", items: [1, CHUNK_BYTES_MAX * 2, 1], expected: [1, 1, 1] },
  ];
  for (const { name, items, expected } of cases) {
    it(`puts ${name}`, () => expect(sizes(items)).to.deep.equal(expected));
  }
});
