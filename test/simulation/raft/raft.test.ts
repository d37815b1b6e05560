import { expect } from "chai";
import type { DiskKind } from "./machine.ts";
import { simulate } from "./simulate.ts";

/** Runs in CI; `SEED=n` runs that one alone. */
const SEEDS = 1000;
const SEEDS_PER_TEST = 50;
/** Of a broken disk a few runs may not notice: nothing was lost that mattered. */
const CANARY_SEEDS = 10;

const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED);

describe("simulation: raft", function () {
  this.timeout(120_000);

  if (only !== undefined) {
    it(`keeps its promises in the run of seed ${only}`, async () => {
      console.log(await simulate(only));
    });
    return;
  }

  for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
    const last = first + SEEDS_PER_TEST - 1;
    it(`keeps its promises in the runs of seeds ${first} to ${last}`, async () => {
      for (let seed = first; seed <= last; seed++) await simulate(seed);
    });
  }

  it("is the same run for the same seed", async () => {
    expect(await simulate(7)).to.deep.equal(await simulate(7));
    expect((await simulate(8)).fingerprint).to.not.equal((await simulate(7)).fingerprint);
  });

  it("has runs in which much goes wrong and much is written all the same", async () => {
    const { acknowledged, faults, terms } = await simulate(7);
    expect(acknowledged).to.be.greaterThan(20);
    expect(faults).to.be.greaterThan(5);
    expect(terms).to.be.greaterThan(1);
  });

  for (const disks of ["lying", "old"] as const satisfies DiskKind[]) {
    it(`finds out ${disks} disks`, async () => {
      let found = 0;
      for (let seed = 1; seed <= CANARY_SEEDS; seed++) {
        await simulate(seed, { disks }).catch(() => {
          found++;
        });
      }
      expect(found).to.be.greaterThan(0);
    });
  }
});
