import { expect } from "chai";
import { timeSeconds } from "./time.ts";

const NOW_MS = 1_700_000_000_000;

describe("flags: times", () => {
  const cases: [string, number][] = [
    ["10m", 1_699_999_400],
    ["1h30m", 1_699_994_600],
    ["1600000000.25", 1_600_000_000.25],
    ["2025-01-31T12:00:00Z", Date.UTC(2025, 0, 31, 12) / 1000],
  ];
  for (const [text, seconds] of cases) {
    it(`read ${text}`, () => expect(timeSeconds(text, NOW_MS)).to.equal(seconds));
  }
  for (const text of ["soon", "10x", ""]) {
    it(`refuse "${text}"`, () => expect(() => timeSeconds(text, NOW_MS)).to.throw("invalid"));
  }
});
