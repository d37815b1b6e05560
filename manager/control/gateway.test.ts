import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import type { Cluster } from "../../proto/gen/objects.ts";
import { failureOf } from "../../test/support/failure-of.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { NO_LEADER } from "../log/leadership.ts";
import type { Leadership } from "../log/replicated-log.ts";
import type { Control } from "./control.ts";
import { controlGateway, LEADER_WAIT_MS } from "./gateway.ts";

const CLUSTER = { id: "c" } as Cluster;
const unavailable = (details = {}) => new ClusterError("Unavailable", "no", { details });

/** A gateway whose answers are scripted: each call of the leader takes the next one. */
function gatewayOf(answers: (Cluster | ClusterError)[], leadership: Leadership) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const answer = async () => {
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (next instanceof ClusterError) throw next;
    return next;
  };
  const leader = (name: string) =>
    ({
      getCluster: () => {
        asked.push(name);
        return answer();
      },
      removeService: async () => {
        asked.push(name);
        await answer();
      },
    }) as unknown as Control;
  const current = { leadership };
  const control = controlGateway({
    local: leader("local"),
    replicatedLog: {
      leadership: () => current.leadership,
      onLeadership: () => () => undefined,
      members: () => [{ raftId: 2, nodeId: "n2", addr: "10.0.0.2:2377" }],
    },
    connect: async ({ addr }) => leader(addr),
    clock,
  });
  return { control, clock, asked, current };
}

/** Lets what was started come to rest, then time pass. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(ms);
}

const LEADING: Leadership = { leaderRaftId: 1, isLeader: true, term: 1 };
const FOLLOWING: Leadership = { leaderRaftId: 2, isLeader: false, term: 1 };

describe("control: gateway", () => {
  it("asks itself while it leads, else the leader", async () => {
    const { control, asked, current } = gatewayOf([CLUSTER], LEADING);
    expect(await control.getCluster()).to.equal(CLUSTER);
    current.leadership = FOLLOWING;
    await control.getCluster();
    expect(asked).to.deep.equal(["local", "10.0.0.2:2377"]);
  });

  it("waits for a leader", async () => {
    const { control, clock, current } = gatewayOf([CLUSTER], NO_LEADER);
    const answer = control.getCluster();
    await pass(clock, 1000);
    current.leadership = LEADING;
    await pass(clock, 1000);
    expect(await answer).to.equal(CLUSTER);
  });

  it("gives up with Docker's words when none is found", async () => {
    const { control, clock } = gatewayOf([CLUSTER], NO_LEADER);
    const failure = failureOf(control.getCluster());
    await pass(clock, LEADER_WAIT_MS + 1000);
    expect((await failure).message).to.match(/^The swarm does not have a leader/);
  });

  const changes = [
    { name: "was turned away", details: { leader: "x" }, asks: 2 },
    { name: "may have been carried out", details: { outcomeUnknown: true }, asks: 1 },
    { name: "went unanswered", details: { unanswered: true }, asks: 1 },
  ];
  for (const { name, details, asks } of changes) {
    it(`asks ${asks === 1 ? "once" : "again"} for a change that ${name}`, async () => {
      const { control, clock, asked } = gatewayOf([unavailable(details), CLUSTER], FOLLOWING);
      const done = control.removeService("web").catch(() => undefined);
      await pass(clock, 1000);
      await done;
      expect(asked).to.have.length(asks);
    });
  }

  it("reads again whatever went wrong on the way", async () => {
    const { control, clock } = gatewayOf([unavailable({ unanswered: true }), CLUSTER], FOLLOWING);
    const answer = control.getCluster();
    await pass(clock, 1000);
    expect(await answer).to.equal(CLUSTER);
  });

  it("passes a refusal on at once", async () => {
    const refusal = new ClusterError("NotFound", "service web not found");
    const { control, asked } = gatewayOf([refusal], LEADING);
    expect(await failureOf(control.removeService("web"))).to.equal(refusal);
    expect(asked).to.have.length(1);
  });
});
