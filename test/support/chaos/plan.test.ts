import { expect } from "chai";
import { seededRandom } from "../../../core/random.ts";
import { DECK_ROUNDS, describeFault, planRounds } from "./plan.ts";

describe("chaos: plan", () => {
  it("is the same for the same seed, and another for another", () => {
    const plan = (seed: number) => planRounds(seededRandom(seed), { rounds: 50, managers: 3 });
    expect(plan(1)).to.deep.equal(plan(1));
    expect(plan(1)).not.to.deep.equal(plan(2));
    expect(plan(1)).to.have.length(50);
  });

  it("deals every kind of fault to every role once before any again", () => {
    const rounds = planRounds(seededRandom(1), { rounds: DECK_ROUNDS, managers: 3 });
    const texts = rounds.flat().map((fault) => describeFault(fault).replace(/\d+/g, "N"));
    const directions = ["both", "in", "out"];
    for (const role of ["leader", "follower", "worker"]) {
      expect(texts).to.include(`kill -N of the ${role}'s daemon, back after N ms`);
      expect(texts).to.include(`SIGSTOP of the ${role} for N ms`);
      for (const way of directions)
        expect(texts).to.include(`partition of the ${role} (${way}) for N ms`);
    }
    expect(texts).to.include("kill -N of all managers' daemons, back after N ms");
    expect(texts).to.include("disk of the worker full");
    expect(texts).to.include("crash of the worker's host, back after N ms");
    expect(texts.filter((text) => /disk of the (leader|follower) full/.test(text))).to.have.length(
      1,
    );
  });

  for (const managers of [3, 5]) {
    it(`leaves a majority of ${managers} managers when faults strike together`, () => {
      const rounds = planRounds(seededRandom(1), { rounds: 200, atOnce: 3, managers });
      for (const faults of rounds) {
        const hit = faults.filter(({ role }) => role !== "worker").length;
        const isBlackout = faults.some(({ kind }) => kind === "blackout");
        if (isBlackout) expect(faults).to.have.length(1);
        else expect(hit * 2).to.be.below(managers);
      }
      expect(Math.max(...rounds.map((faults) => faults.length))).to.equal(3);
    });
  }

  it("deals one kind only when asked, and refuses one there is not", () => {
    const rounds = planRounds(seededRandom(1), { rounds: 9, only: "fullDisk", managers: 3 });
    expect(rounds.flat().every(({ kind }) => kind === "fullDisk")).to.equal(true);
    expect(() => planRounds(seededRandom(1), { rounds: 1, only: "flood", managers: 3 })).to.throw(
      "there is no fault of kind flood",
    );
  });
});
