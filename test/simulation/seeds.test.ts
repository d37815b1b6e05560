import { KEPT_SEEDS } from "./seeds.ts";
import { SUITES } from "./suites.ts";

describe("simulation: seeds that found something", function () {
  this.timeout(60_000);

  for (const { suite, seed, found } of KEPT_SEEDS) {
    it(`${suite} ${seed}: ${found}`, async () => {
      await SUITES[suite](seed);
    });
  }
});
