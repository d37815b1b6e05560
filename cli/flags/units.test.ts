import { expect } from "chai";
import { parseBytes, parseCpus, parseDuration } from "./units.ts";

describe("flags: units", () => {
  const good: { text: string; parse: (text: string) => number; expected: number }[] = [
    { text: "0", parse: parseDuration, expected: 0 },
    { text: "10s", parse: parseDuration, expected: 10e9 },
    { text: "1h30m", parse: parseDuration, expected: 5400e9 },
    { text: "1.5s", parse: parseDuration, expected: 1.5e9 },
    { text: "500ms", parse: parseDuration, expected: 5e8 },
    { text: "512m", parse: parseBytes, expected: 512 * 2 ** 20 },
    { text: "1.5G", parse: parseBytes, expected: 1.5 * 2 ** 30 },
    { text: "64KiB", parse: parseBytes, expected: 65536 },
    { text: "100", parse: parseBytes, expected: 100 },
    { text: "0.5", parse: parseCpus, expected: 5e8 },
  ];
  for (const { text, parse, expected } of good) {
    it(`reads ${text} as ${expected}`, () => {
      expect(parse(text)).to.equal(expected);
    });
  }

  for (const text of ["", "5", "-1s", "1d", "s", "1e3s"]) {
    it(`refuses the duration '${text}'`, () =>
      expect(() => parseDuration(text)).to.throw("invalid duration"));
  }
  for (const text of ["", "-1m", "1x", "m", "NaN"]) {
    it(`refuses the size '${text}'`, () => expect(() => parseBytes(text)).to.throw("invalid size"));
  }
});
