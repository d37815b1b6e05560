import { expect } from "chai";
import { NodeState } from "../../proto/gen/objects.ts";
import { LIVENESS_DEFAULTS as TIMES } from "../../proto/liveness-settings.ts";
import { Liveness } from "./liveness.ts";

/** Lets time pass in ticks, with beats of the nodes named; says who was given up and when. */
class Run {
  readonly liveness = new Liveness(TIMES, 0);
  readonly downs: string[] = [];
  readonly missing: string[] = [];
  /** What was said last of each. */
  readonly reasons = new Map<string, string>();
  nowMs = 0;

  pass(ms: number, beating: readonly string[] = []): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 100;
      if (this.nowMs % TIMES.heartbeatMs === 0) {
        for (const nodeId of beating) this.liveness.onWord(nodeId, this.nowMs);
      }
      this.#tick();
    }
  }

  /** Our own process stands still. */
  stall(ms: number): void {
    this.nowMs += ms;
    this.#tick();
  }

  expect(nodeId: string, state: NodeState, isOtherManager = false): void {
    this.liveness.expect(nodeId, { state, isOtherManager }, this.nowMs);
  }

  #tick(): void {
    for (const { nodeId, state, message } of this.liveness.tick(this.nowMs)) {
      this.reasons.set(nodeId, message);
      const list = state === NodeState.DOWN ? this.downs : this.missing;
      list.push(`${nodeId}@${this.nowMs}`);
    }
  }
}

function inSession(...nodeIds: readonly string[]): Run {
  const run = new Run();
  for (const nodeId of nodeIds) run.liveness.onHello(nodeId, 0);
  return run;
}

describe("dispatcher: liveness", () => {
  it("a node that beats stays", () => {
    const run = inSession("a");
    run.pass(60_000, ["a"]);
    expect(run.downs).to.deep.equal([]);
  });

  it("silence on a standing connection is a lost host, found in 2.5 s", () => {
    const run = inSession("a", "b", "c");
    run.pass(10_000, ["b", "c"]);
    expect(run.downs).to.deep.equal(["a@2600"]);
  });

  it("a broken connection is a restarting daemon and gets the grace", () => {
    const run = inSession("a", "b");
    const transition = run.liveness.onBroken("a", run.nowMs);
    expect(transition?.state).to.equal(NodeState.DISCONNECTED);
    run.pass(9_900, ["b"]);
    expect(run.downs).to.deep.equal([]);
    run.pass(1_000, ["b"]);
    expect(run.downs).to.deep.equal(["a@10100"]);
  });

  it("a daemon that comes back within the grace was never gone", () => {
    const run = inSession("a");
    run.liveness.onBroken("a", 0);
    run.pass(9_000);
    expect(run.liveness.onHello("a", run.nowMs).state).to.equal(NodeState.READY);
    run.pass(60_000, ["a"]);
    expect(run.downs).to.deep.equal([]);
  });

  it("when most fall silent together it suspects itself, says so and holds", () => {
    const run = inSession("a", "b", "c", "d", "e");
    run.pass(9_000, ["e"]);
    expect(run.downs).to.deep.equal([]);
    expect(run.missing).to.deep.equal(["a@2600", "b@2600", "c@2600", "d@2600"]);
    expect(run.reasons.get("a")).to.equal(
      "no heartbeat for 2500 ms, but most nodes are silent together: the fault may be ours; waiting 10 s",
    );
    expect(run.liveness.onWord("a", run.nowMs)?.state).to.equal(NodeState.READY);
    expect(run.liveness.onWord("a", run.nowMs)).to.equal(undefined);
    run.pass(2_000, ["a", "b", "c", "e"]);
    expect(run.downs).to.deep.equal([]);
    run.pass(2_000, ["a", "b", "c", "e"]);
    expect(run.downs).to.deep.equal(["d@12100"]);
  });

  it("when the net is back nobody is given up for being the last to return", () => {
    const run = inSession("a", "b", "c", "d");
    run.pass(6_000, ["d"]);
    run.pass(2_000, ["a", "d"]);
    run.pass(500, ["a", "b", "c", "d"]);
    run.pass(5_000, ["a", "b", "c", "d"]);
    expect(run.downs).to.deep.equal([]);
  });

  it("holds no longer than the grace", () => {
    const run = inSession("a", "b", "c");
    run.pass(11_000, ["c"]);
    expect(run.downs).to.deep.equal(["a@10100", "b@10100"]);
  });

  it("a silent daemon whose host answers gets the grace: its containers run", () => {
    const run = inSession("a", "b", "c");
    run.pass(1_500, ["b", "c"]);
    expect(run.liveness.silent(run.nowMs)).to.deep.equal(["a"]);
    for (let i = 0; i < 8; i++) {
      run.liveness.onHostAnswered("a", run.nowMs);
      run.pass(1_000, ["b", "c"]);
    }
    expect(run.downs).to.deep.equal([]);
    expect(run.missing).to.deep.equal(["a@2600"]);
    expect(run.reasons.get("a")).to.contain("its daemon is busy or stopped");
    run.liveness.onHostAnswered("a", run.nowMs);
    run.pass(1_000, ["b", "c"]);
    expect(run.downs).to.deep.equal(["a@10100"]);
  });

  it("a host that answered and then does not is lost like any other", () => {
    const run = inSession("a", "b", "c");
    run.pass(2_000, ["b", "c"]);
    run.liveness.onHostAnswered("a", run.nowMs);
    run.pass(3_000, ["b", "c"]);
    expect(run.downs).to.deep.equal(["a@4600"]);
  });

  it("one silent node of two is no mass", () => {
    const run = inSession("a", "b");
    run.pass(3_000, ["b"]);
    expect(run.downs).to.deep.equal(["a@2600"]);
  });

  it("what it could not hear while it stood still counts for nothing", () => {
    const run = inSession("a", "b", "c");
    run.pass(1_000, ["a", "b", "c"]);
    run.stall(30_000);
    expect(run.downs).to.deep.equal([]);
    run.pass(5_000, ["b", "c"]);
    expect(run.downs).to.have.length(1);
  });

  it("a new leader gives every node that was up the grace, and the others nothing", () => {
    const run = new Run();
    run.expect("up", NodeState.READY);
    run.expect("down", NodeState.DOWN);
    run.expect("never seen", NodeState.UNKNOWN);
    run.pass(9_900);
    expect(run.downs).to.deep.equal([]);
    run.pass(1_000);
    expect(run.downs).to.deep.equal(["up@10100"]);
  });

  it("a node that is late under a new leader is called disconnected, so that it gets no new tasks", () => {
    const run = new Run();
    run.expect("late", NodeState.READY);
    run.expect("known late", NodeState.DISCONNECTED);
    run.pass(900);
    expect(run.missing).to.deep.equal([]);
    run.pass(3_000);
    expect(run.missing).to.deep.equal(["late@1100"]);
    expect(run.liveness.onHello("late", run.nowMs).state).to.equal(NodeState.READY);
  });

  it("other managers are late at once: one of them led before", () => {
    const run = new Run();
    run.expect("manager", NodeState.READY, true);
    run.pass(100);
    expect(run.missing).to.deep.equal(["manager@100"]);
    expect(run.downs).to.deep.equal([]);
  });

  it("takes other times at once, and holds nobody's old pace against it", () => {
    const run = inSession("a", "b", "c");
    run.liveness.configure({ heartbeatMs: 5_000, downAfterMs: 25_000, restartGraceMs: 25_000 }, 0);
    run.pass(20_000, []);
    expect(run.downs).to.deep.equal([]);
    run.liveness.configure(TIMES, run.nowMs);
    run.pass(2_000, ["b", "c"]);
    expect(run.downs).to.deep.equal([]);
    run.pass(1_000, ["b", "c"]);
    expect(run.downs).to.deep.equal(["a@22600"]);
  });

  it("a removed node is nobody's concern", () => {
    const run = inSession("a");
    run.liveness.forget("a");
    run.pass(60_000);
    expect(run.downs).to.deep.equal([]);
  });
});
