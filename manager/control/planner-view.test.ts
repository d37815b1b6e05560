import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { Store } from "../store/store.ts";
import { PlannerView } from "./planner-view.ts";

/** A log that counts how often the others are asked. */
class CountingLog {
  barriers = 0;
  isLeader = true;
  term = 1;
  leaderRaftId = 1;
  /** What happens while the others are asked. */
  onBarrier: () => void = () => undefined;

  leadership() {
    const { isLeader, term, leaderRaftId } = this;
    return { isLeader, term, leaderRaftId };
  }

  async readBarrier(): Promise<void> {
    this.barriers++;
    this.onBarrier();
    if (!this.isLeader) throw new ClusterError("Unavailable", "not the leader");
  }
}

describe("manager/control: the view that changes are planned on", () => {
  const make = () => {
    const store = new Store();
    const log = new CountingLog();
    return { log, planner: new PlannerView(log, () => store.view()) };
  };

  it("asks the others once in a term", async () => {
    const { log, planner } = make();
    for (let i = 0; i < 3; i++) await planner.plan(() => "planned");
    expect(log.barriers).to.equal(1);
    log.term = 2;
    for (let i = 0; i < 3; i++) await planner.plan(() => "planned");
    expect(log.barriers).to.equal(2);
  });

  it("gives no refusal without having asked the others", async () => {
    const { log, planner } = make();
    await planner.plan(() => undefined);
    let plans = 0;
    const refused = await planner
      .plan(() => {
        plans++;
        throw new ClusterError("NotFound", "node x not found");
      })
      .catch((error: ClusterError) => error.code);
    expect([refused, plans, log.barriers]).to.deep.equal(["NotFound", 2, 2]);
  });

  it("asks again when the term changed while it asked", async () => {
    const { log, planner } = make();
    log.onBarrier = () => {
      log.term = 2;
      log.onBarrier = () => undefined;
    };
    await planner.plan(() => undefined);
    await planner.plan(() => undefined);
    await planner.plan(() => undefined);
    expect(log.barriers).to.equal(2);
  });

  it("plans nothing where it does not lead", async () => {
    const { log, planner } = make();
    await planner.plan(() => undefined);
    log.isLeader = false;
    const code = await planner.plan(() => "planned").catch((error: ClusterError) => error.code);
    expect(code).to.equal("Unavailable");
  });
});
