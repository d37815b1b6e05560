import { expect } from "chai";
import { parseMomentMs } from "./moment.ts";

const NOW_MS = 1_700_000_000_000;

describe("times to filter by", () => {
  const cases: { text: string; expected: number }[] = [
    { text: "24h", expected: NOW_MS - 86_400_000 },
    { text: "1h30m", expected: NOW_MS - 5_400_000 },
    { text: "1.5s", expected: NOW_MS - 1500 },
    { text: "0s", expected: NOW_MS },
    { text: "1600000000", expected: 1_600_000_000_000 },
    { text: "1600000000.5", expected: 1_600_000_000_500 },
    { text: "2020-01-02T03:04:05Z", expected: Date.UTC(2020, 0, 2, 3, 4, 5) },
    { text: "2020-01-02T03:04:05.25+01:00", expected: Date.UTC(2020, 0, 2, 2, 4, 5, 250) },
    { text: "2020-01-02T03Z", expected: Date.UTC(2020, 0, 2, 3) },
    { text: "2020-01-02Z", expected: Date.UTC(2020, 0, 2) },
    { text: "2020-01-02", expected: new Date(2020, 0, 2).getTime() },
    { text: "2020-01-02T03:04", expected: new Date(2020, 0, 2, 3, 4).getTime() },
  ];
  for (const { text, expected } of cases) {
    it(`read ${text}`, () => expect(parseMomentMs(text, NOW_MS)).to.equal(expected));
  }
  for (const text of ["", "yesterday", "h", "-1h", "1e9x", "2020-13-01", "1d"]) {
    it(`refuse ${JSON.stringify(text)}`, () =>
      expect(() => parseMomentMs(text, NOW_MS)).to.throw("invalid time"));
  }
});
