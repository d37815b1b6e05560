import { expect } from "chai";
import { runSeeds } from "../children.ts";
import { type ClusterReport, simulateCluster } from "./simulate.ts";

/** Runs in CI; `SEED=n` runs that one alone. */
const SEEDS = 120;
const SEEDS_PER_TEST = 60;

const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED);

describe("simulation: cluster", function () {
  this.timeout(300_000);

  if (only !== undefined) {
    it(`keeps its promises in the run of seed ${only}`, async () => {
      console.log(await simulateCluster(only));
    });
    return;
  }

  for (let from = 1; from <= SEEDS; from += SEEDS_PER_TEST) {
    const last = from + SEEDS_PER_TEST - 1;
    it(`keeps its promises in the runs of seeds ${from} to ${last}`, async () => {
      await runSeeds({ suite: "cluster", from, runs: SEEDS_PER_TEST });
    });
  }

  it("is the same run for the same seed", async () => {
    const once = await simulateCluster(7);
    expect(await simulateCluster(7)).to.deep.equal(once);
    expect((await simulateCluster(8)).fingerprint).to.not.equal(once.fingerprint);
  });

  it("has runs in which much goes wrong and much is done all the same", async () => {
    const reports: ClusterReport[] = [];
    for (let seed = 1; seed <= 10; seed++) reports.push(await simulateCluster(seed));
    const sum = (what: (report: ClusterReport) => number) =>
      reports.reduce((total, report) => total + what(report), 0);
    expect(sum(({ answered }) => answered)).to.be.greaterThan(300);
    expect(sum(({ faults }) => faults)).to.be.greaterThan(60);
    expect(sum(({ started }) => started)).to.be.greaterThan(100);
    expect(sum(({ terms }) => terms)).to.be.greaterThan(15);
  });
});
