import { expect } from "chai";
import { runSeeds } from "../children.ts";
import type { DiskKind } from "./machine.ts";
import { type SimulationReport, simulate } from "./simulate.ts";

/** Runs in CI; `SEED=n` runs that one alone. */
const SEEDS = 2000;
const SEEDS_PER_TEST = 250;
/** Disk calls of a leader in one and a half seconds: it crashes in each of them. */
const DISK_CALLS = 100;
/** Of a broken disk a few runs may not notice: nothing was lost that mattered. */
const CANARY_SEEDS = 10;
const LEASE_SEEDS = 100;
const DRIFTING_SEEDS = 30;

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
      await runSeeds({ suite: "raft", from: first, runs: SEEDS_PER_TEST });
    });
  }

  it("loses nothing wherever a leader crashes in its disk calls", async () => {
    for (let call = 1; call <= DISK_CALLS; call++) await simulate(3, { crashAtCall: call });
  });

  it("is the same run for the same seed", async () => {
    expect(await simulate(7)).to.deep.equal(await simulate(7));
    expect((await simulate(8)).fingerprint).to.not.equal((await simulate(7)).fingerprint);
  });

  it("has runs in which much goes wrong and much is written all the same", async () => {
    const reports: SimulationReport[] = [];
    for (let seed = 1; seed <= 10; seed++) reports.push(await simulate(seed));
    const sum = (what: (report: SimulationReport) => number) =>
      reports.reduce((total, report) => total + what(report), 0);
    expect(sum(({ acknowledged }) => acknowledged)).to.be.greaterThan(300);
    expect(sum(({ faults }) => faults)).to.be.greaterThan(60);
    expect(sum(({ terms }) => terms)).to.be.greaterThan(15);
    expect(sum(({ replaced }) => replaced)).to.be.greaterThan(0);
  });

  it("answers no read from the past when reads go by leases", async () => {
    for (let seed = 1; seed <= LEASE_SEEDS; seed++) await simulate(seed, { leases: "held" });
  });

  it("finds out clocks that drift further than leases allow, by a read from the past", async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= DRIFTING_SEEDS; seed++) {
      await simulate(seed, { leases: "drifting" }).catch((error) => found.push(String(error)));
    }
    expect(found).to.not.be.empty;
    for (const why of found) expect(why).to.include("Linearizable: violation");
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
