import { expect } from "chai";
import {
  HINTS_MAX,
  ManagerPicker,
  REFUSED_WAIT_MS,
  ROUND_MAX_MS,
  WELCOME_FIRST_MS,
  WELCOME_MAX_MS,
} from "./manager-picker.ts";

describe("worker: which manager to ask", () => {
  const addresses = (...addrs: readonly string[]) => addrs.map((addr) => ({ nodeId: "", addr }));
  const half = { next: () => 0 };

  it("asks those it knew before those it was started with, each in turn", () => {
    const picker = new ManagerPicker(addresses("seed"), addresses("m1", "m2"));
    const asked = [1, 2, 3, 4].map(() => {
      const addr = picker.pick();
      picker.failed(undefined);
      return addr;
    });
    expect(asked).to.deep.equal(["m1", "m2", "seed", "m1"]);
  });

  it("goes where it is sent, at once", () => {
    const picker = new ManagerPicker(addresses("m1", "m2"), []);
    picker.pick();
    picker.failed("leader");
    expect(picker.delayMs(half)).to.equal(0);
    expect(picker.pick()).to.equal("leader");
  });

  it("is not sent in circles for ever", () => {
    const picker = new ManagerPicker(addresses("m1", "m2"), []);
    const asked: (string | undefined)[] = [];
    for (let i = 0; i <= HINTS_MAX + 1; i++) {
      asked.push(picker.pick());
      picker.failed("elsewhere");
    }
    expect(asked).to.deep.equal(["m1", "elsewhere", "elsewhere", "elsewhere", "m2"]);
  });

  it("waits only after a whole round, and never long", () => {
    const picker = new ManagerPicker(addresses("m1", "m2"), []);
    const delays = [1, 2, 3, 4].map(() => {
      picker.pick();
      picker.failed(undefined);
      return picker.delayMs(half);
    });
    expect(delays).to.deep.equal([0, 25, 25, 50]);
    for (let i = 0; i < 100; i++) picker.failed(undefined);
    expect(picker.delayMs({ next: () => 0.999 })).to.be.at.most(ROUND_MAX_MS);
  });

  it("gives a leader that is slow more time at each try, and a manager nobody speaks for none", () => {
    const picker = new ManagerPicker(addresses("m1", "m2", "m3"), []);
    const patience = [1, 2, 3, 4, 5].map(() => {
      picker.failed("leader");
      const ms = picker.patienceMs("leader");
      picker.unanswered("leader");
      return ms;
    });
    expect(patience).to.deep.equal([1_000, 2_000, 4_000, 8_000, 8_000]);
    expect(picker.patienceMs("m1")).to.equal(WELCOME_FIRST_MS);
    picker.succeeded();
    expect(picker.patienceMs("leader")).to.equal(WELCOME_FIRST_MS);
  });

  it("gives all more time when none has answered for a round", () => {
    const picker = new ManagerPicker(addresses("m1", "m2"), []);
    const patience = [1, 2, 3, 4, 5].map(() => {
      const addr = picker.pick() ?? "";
      const ms = picker.patienceMs(addr);
      picker.unanswered(addr);
      picker.failed(undefined);
      return ms;
    });
    expect(patience).to.deep.equal([1_000, 1_000, 2_000, 2_000, 4_000]);
    for (let i = 0; i < 100; i++) picker.unanswered("m1");
    expect(picker.patienceMs("m1")).to.equal(WELCOME_MAX_MS);
  });

  it("takes its time with those who refuse it, until one fails otherwise", () => {
    const picker = new ManagerPicker(addresses("m1", "m2"), []);
    picker.pick();
    picker.refused();
    expect(picker.delayMs(half)).to.equal(REFUSED_WAIT_MS / 2);
    picker.pick();
    picker.failed("leader");
    expect(picker.delayMs(half)).to.equal(0);
  });

  it("learns the managers there are, and does not believe in none", () => {
    const picker = new ManagerPicker(addresses("old"), []);
    picker.learn(addresses("new1", "new2"));
    picker.learn([]);
    expect(picker.managers).to.deep.equal(["new1", "new2"]);
  });

  it("knows nobody when told of nobody", () => {
    expect(new ManagerPicker([], []).pick()).to.equal(undefined);
  });
});
