import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import {
  ENTRY_BYTES_MAX,
  type Member,
  type ReplicatedLog,
} from "../../manager/log/replicated-log.ts";
import { eventually } from "../support/eventually.ts";
import type { ListState } from "../support/raft/list-state.ts";

/** One log under test: the member that leads, and its state. */
export interface LogUnderTest {
  readonly log: ReplicatedLog;
  readonly state: ListState;
  /** Ends everything `make` started. */
  close(): Promise<void>;
}

/** What every ReplicatedLog promises; `make` returns one that leads, or will soon. */
export function describeReplicatedLog(name: string, make: () => Promise<LogUnderTest>): void {
  describe(`ReplicatedLog: ${name}`, () => {
    let under: LogUnderTest;

    beforeEach(async () => {
      under = await make();
      await eventually("the member leads", () => under.log.leadership().isLeader);
    });
    afterEach(async () => {
      await under.close();
    });

    describeProposals(() => under);
    describeLeadership(() => under);
    describeMembership(() => under);
  });
}

function describeProposals(under: () => LogUnderTest): void {
  it("resolves a proposal with the result of applying it", async () => {
    const result = await under().log.propose(Buffer.from("one"));
    expect(result).to.have.property("text", "one");
    expect(under().state.entries).to.deep.equal(["one"]);
  });

  it("applies concurrent proposals each once, in the order they were made, with rising indexes", async () => {
    const wanted = Array.from({ length: 200 }, (_, i) => `entry-${i}`);
    const results = await Promise.all(wanted.map((text) => under().log.propose(Buffer.from(text))));
    expect(under().state.entries).to.deep.equal(wanted);
    const indexes = results.map((result) => (result as { index: number }).index);
    expect(indexes).to.deep.equal([...indexes].sort((a, b) => a - b));
    expect(new Set(indexes).size).to.equal(wanted.length);
  });

  it("takes an entry of the largest size and refuses one byte more", async () => {
    await under().log.propose(new Uint8Array(ENTRY_BYTES_MAX));
    await expectCode("ResourceExhausted", under().log.propose(new Uint8Array(ENTRY_BYTES_MAX + 1)));
    expect(under().state.entries).to.have.length(1);
  });

  it("refuses an empty entry", async () => {
    await expectCode("InvalidArgument", under().log.propose(new Uint8Array(0)));
  });

  it("passes a read barrier with everything acknowledged before it applied", async () => {
    const { log, state } = under();
    await Promise.all(["one", "two"].map((text) => log.propose(Buffer.from(text))));
    await Promise.all([log.readBarrier(), log.readBarrier()]);
    expect(state.entries).to.deep.equal(["one", "two"]);
  });
}

function describeLeadership(under: () => LogUnderTest): void {
  it("says that it leads, in which term, and names itself", () => {
    const { leaderRaftId, isLeader, term } = under().log.leadership();
    expect(isLeader).to.equal(true);
    expect(term).to.be.greaterThan(0);
    expect(
      under()
        .log.members()
        .map((member) => member.raftId),
    ).to.include(leaderRaftId);
  });

  it("tells a listener of each change until it is ended", async () => {
    const heard: boolean[] = [];
    const unheard: boolean[] = [];
    under().log.onLeadership((leadership) => heard.push(leadership.isLeader));
    const end = under().log.onLeadership((leadership) => unheard.push(leadership.isLeader));
    end();
    await under().log.close();
    await eventually("the end of leadership is told", () => heard.includes(false));
    expect(unheard).to.deep.equal([]);
  });

  it("after close refuses proposals and reads, and closes again without complaint", async () => {
    await under().log.close();
    await under().log.close();
    expect(under().log.leadership().isLeader).to.equal(false);
    await expectCode("Unavailable", under().log.propose(Buffer.from("late")));
    await expectCode("Unavailable", under().log.readBarrier());
  });
}

function describeMembership(under: () => LogUnderTest): void {
  it("lists itself as a voter with its node and address", () => {
    const { log } = under();
    const self = log.members().find((member) => member.raftId === log.leadership().leaderRaftId);
    expect(self?.nodeId).to.be.a("string").and.not.equal("");
    expect(self?.addr).to.contain(":");
    expect(self?.learner ?? false).to.equal(false);
  });

  it("refuses to add an id or a node that is a member", async () => {
    const [known] = under().log.members();
    if (known === undefined) throw new Error("a log has members");
    const fresh: Member = { raftId: 99, nodeId: "fresh", addr: "127.0.0.1:1" };
    const { log } = under();
    await expectCode("FailedPrecondition", log.addMember({ ...fresh, raftId: known.raftId }));
    await expectCode("FailedPrecondition", log.addMember({ ...fresh, nodeId: known.nodeId }));
    await expectCode("InvalidArgument", log.addMember({ ...fresh, raftId: -1 }));
    await expectCode("NotFound", log.removeMember(99));
  });
}

/** Fails unless `promise` rejects with a ClusterError of this code. */
export async function expectCode(code: string, promise: Promise<unknown>): Promise<ClusterError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome, `expected ${code}`).to.be.instanceOf(ClusterError);
  const error = outcome as ClusterError;
  expect(error.code, error.message).to.equal(code);
  return error;
}
