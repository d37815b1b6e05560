import { expect } from "chai";
import { runChild } from "../children.ts";
import { CANARIES } from "./canaries.ts";

describe("simulation: canaries", function () {
  this.timeout(290_000);

  for (const [name, canary] of Object.entries(CANARIES)) {
    it(`the ${canary.suite} simulation finds out that ${name}`, async () => {
      const { code, output } = await runChild({ ...canary, runs: canary.runsMax }, name);
      expect(code, output).to.equal(1);
      const broken = /SEED=\d+: (\w+):/.exec(output)?.[1];
      expect(canary.caughtBy, output).to.include(broken);
    });
  }
});
