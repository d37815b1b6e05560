import { expect } from "chai";
import { firstFreeBlock, formatAddress, formatBlock, parseAddress, parseBlock } from "./ipv4.ts";

describe("allocator: IPv4", () => {
  const blocks: readonly [text: string, expected: string | undefined][] = [
    ["10.0.1.7/24", "10.0.1.0/24"],
    ["255.255.255.255/32", "255.255.255.255/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["10.0.0.0/33", undefined],
    ["10.0.0.256/24", undefined],
    ["10.0.0/24", undefined],
    ["10.0.0.0", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of blocks) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const block = parseBlock(text);
      expect(block && formatBlock(block)).to.equal(expected);
    });
  }

  it("writes what it reads", () => {
    for (const text of ["0.0.0.0", "10.0.3.255", "255.255.255.255"]) {
      expect(formatAddress(parseAddress(text) ?? -1)).to.equal(text);
    }
  });

  const free: readonly {
    readonly pool: string;
    readonly length: number;
    readonly taken: readonly string[];
    readonly expected: string | undefined;
  }[] = [
    { pool: "10.0.0.0/8", length: 24, taken: [], expected: "10.0.0.0/24" },
    { pool: "10.0.0.0/8", length: 24, taken: ["10.0.0.0/16"], expected: "10.1.0.0/24" },
    { pool: "10.0.0.0/8", length: 20, taken: ["10.0.0.128/25"], expected: "10.0.16.0/20" },
    { pool: "10.0.0.0/30", length: 31, taken: ["10.0.0.0/31"], expected: "10.0.0.2/31" },
    { pool: "10.0.0.0/24", length: 24, taken: ["10.0.0.7/32"], expected: undefined },
    { pool: "10.0.0.0/24", length: 16, taken: [], expected: undefined },
    { pool: "255.255.255.0/24", length: 24, taken: [], expected: "255.255.255.0/24" },
  ];
  for (const { pool, length, taken, expected } of free) {
    it(`finds /${length} in ${pool} beside ${taken.join(" ") || "nothing"}`, () => {
      const parse = (text: string) => {
        const block = parseBlock(text);
        if (block === undefined) throw new Error(text);
        return block;
      };
      const block = firstFreeBlock(parse(pool), length, taken.map(parse));
      expect(block && formatBlock(block)).to.equal(expected);
    });
  }
});
