import { expect } from "chai";
import { DRAIN_WAIT_MAX_MS, DrainGate } from "./drain-gate.ts";

describe("dispatcher: drain gate", () => {
  const served = (versions: Record<string, number>) => (networkId: string) =>
    versions[networkId] ?? Number.POSITIVE_INFINITY;

  it("holds a stop until every network is served without the task", () => {
    const gate = new DrainGate();
    const needs = new Map([
      ["front", 7],
      ["back", 9],
    ]);
    gate.hold("a", needs, 0);
    expect(gate.release(served({ front: 7, back: 8 }), 1)).to.deep.equal([]);
    expect(gate.holds("a")).to.equal(true);
    expect(gate.release(served({ front: 7, back: 9 }), 2)).to.deep.equal(["a"]);
    expect(gate.holds("a")).to.equal(false);
  });

  it("does not wait for a network nobody in session needs", () => {
    const gate = new DrainGate();
    gate.hold("a", new Map([["front", 7]]), 0);
    expect(gate.release(served({}), 0)).to.deep.equal(["a"]);
  });

  it("does not hold a task without a network", () => {
    const gate = new DrainGate();
    gate.hold("a", new Map(), 0);
    expect(gate.holds("a")).to.equal(false);
  });

  it("waits no longer than its bound, also when asked to hold again", () => {
    const gate = new DrainGate();
    gate.hold("a", new Map([["front", 7]]), 0);
    gate.hold("a", new Map([["front", 8]]), 1_000);
    const silent = served({ front: 0 });
    expect(gate.release(silent, DRAIN_WAIT_MAX_MS - 1)).to.deep.equal([]);
    expect(gate.release(silent, DRAIN_WAIT_MAX_MS)).to.deep.equal(["a"]);
  });
});
