import { expect } from "chai";
import { readTimestampNs } from "./timestamp.ts";

const read = (text: string) => readTimestampNs(new URLSearchParams({ since: text }), "since");

describe("timestamps of queries", () => {
  const cases: { text: string; expected: bigint | undefined }[] = [
    { text: "", expected: undefined },
    { text: "0", expected: 0n },
    { text: "1700000000", expected: 1_700_000_000_000_000_000n },
    { text: "1700000000.123456789", expected: 1_700_000_000_123_456_789n },
    { text: "1700000000.5", expected: 1_700_000_000_500_000_000n },
    { text: "1700000000.1234567899", expected: 1_700_000_000_123_456_789n },
  ];
  for (const { text, expected } of cases) {
    it(`read ${JSON.stringify(text)}`, () => expect(read(text)).to.equal(expected));
  }
  for (const text of ["-1", "1e9", "NaN", "now", "1.", "99999999999999999999", "1 "]) {
    it(`refuse ${JSON.stringify(text)}`, () =>
      expect(() => read(text)).to.throw("must be seconds since 1970"));
  }
});
