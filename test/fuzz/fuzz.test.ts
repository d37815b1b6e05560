import { expect } from "chai";
import fc from "fast-check";
import { FUZZ_TARGETS, type FuzzTarget, fuzz } from "./targets.ts";

const SEEDS = [20_261_128, 7, 4242];
const RUNS = 300;

// A longer run: npm run fuzz -- NAME --minutes N.
describe("fuzz: mutated valid inputs are refused in our words, or read as they should", () => {
  for (const name of Object.keys(FUZZ_TARGETS) as FuzzTarget[])
    it(name, () => {
      for (const seed of SEEDS) {
        const result = fuzz(name, seed, RUNS);
        expect(result.failed, fc.defaultReportMessage(result)).to.equal(false);
      }
    }).timeout(60_000);
});
