import { expect } from "chai";
import { isGranted } from "../test/support/raft-sim/incoming.ts";
import {
  ELECTION_TICKS,
  entriesOf,
  type Incoming,
  LoneMember,
  ofKind,
} from "../test/support/raft-sim/lone-member.ts";
import { type ConfChange, encodeConfChanges, RaftInvariantError, type Refusal } from "./index.ts";

/** One case per sentence of "Consensus: Bridging Theory and Practice" that is implemented and is not in the paper. */

const change = (kind: ConfChange["kind"], raftId: number): ConfChange => ({
  kind,
  raftId,
  context: new Uint8Array(0),
});

const reasonOf = (answer: { kind: string } | Refusal): string =>
  "reason" in answer ? answer.reason : answer.kind;

/** A leader whose first entry is committed. */
function leaderOf(options: ConstructorParameters<typeof LoneMember>[0] = {}): LoneMember {
  const member = new LoneMember(options);
  member.elect();
  const { lastIndex } = member.node.status();
  for (const { raftId } of member.node.status().peers) {
    if (raftId !== member.id) member.acknowledge(raftId, lastIndex);
  }
  return member;
}

describe("raft thesis §3.10 leadership transfer", () => {
  it("the leader stops taking requests", () => {
    const member = leaderOf();
    member.node.transferLeadership(2);
    expect(reasonOf(member.node.propose(new Uint8Array(1)))).to.equal("transferring");
  });

  it("it brings the target up to date, then tells it to time out now", () => {
    const member = leaderOf();
    member.propose("a");
    member.node.transferLeadership(2);
    expect(ofKind(member.settle(), "timeoutNow")).to.deep.equal([]);
    const [told] = ofKind(member.acknowledge(2, 2), "timeoutNow");
    expect(told?.to).to.equal(2);
  });

  it("the target begins an election at once, and its request says that it may disturb", () => {
    const member = new LoneMember();
    member.receive({ kind: "heartbeat", from: 2, term: 1, commit: 0, context: 0, sentAt: 0 });
    const requests = ofKind(member.receive({ kind: "timeoutNow", from: 2, term: 1 }), "vote");
    expect(requests.map(({ to, term, force }) => [to, term, force])).to.deep.equal([
      [2, 2, true],
      [3, 2, true],
    ]);
  });

  it("others vote for it though they believe that a leader exists", () => {
    const member = new LoneMember();
    member.receive({ kind: "heartbeat", from: 2, term: 1, commit: 0, context: 0, sentAt: 0 });
    const request = { from: 3, term: 2, lastIndex: 0, lastTerm: 0, force: true };
    const [reply] = ofKind(member.receive({ kind: "vote", ...request }), "voteReply");
    expect(reply?.granted).to.equal(true);
  });

  it("if it does not work within an election timeout the leader takes requests again", () => {
    const member = leaderOf();
    member.node.transferLeadership(2);
    member.receive({ kind: "heartbeatReply", from: 3, term: 1, context: 0, sentAt: 0 });
    member.tick(ELECTION_TICKS);
    expect(member.node.propose(new Uint8Array(1)).kind).to.equal("proposed");
  });
});

describe("raft thesis §4.1 one membership change at a time", () => {
  it("a change takes effect when it is applied, and the next may follow then", () => {
    const member = leaderOf();
    expect(reasonOf(member.node.proposeConfChange(change("addLearner", 4)))).to.equal("proposed");
    expect(reasonOf(member.node.proposeConfChange(change("addLearner", 5)))).to.equal(
      "confChangePending",
    );
    member.settle();
    member.acknowledge(2, 2);
    expect(member.node.status().confState.learners).to.deep.equal([4]);
    expect(member.node.proposeConfChange(change("addLearner", 5)).kind).to.equal("proposed");
  });

  it("erratum of 2015: not before an entry of the leader's own term is committed", () => {
    const member = new LoneMember();
    member.elect();
    expect(reasonOf(member.node.proposeConfChange(change("addLearner", 4)))).to.equal(
      "confChangePending",
    );
    member.acknowledge(2, 1);
    expect(member.node.proposeConfChange(change("addLearner", 4)).kind).to.equal("proposed");
  });

  it("a committed change cannot be passed over", () => {
    const member = new LoneMember({ conf: { voters: [1] } });
    member.elect();
    member.node.proposeConfChange(change("addLearner", 4));
    const given = member.node.takeReady();
    member.node.stabledTo(given?.id ?? 0);
    expect(member.node.takeReady()?.committed[0]?.kind).to.equal("confChange");
    expect(() => member.node.appliedTo(2)).to.throw(RaftInvariantError, /applyConfChange first/);
  });
});

describe("raft thesis §4.2.2 removing the leader", () => {
  it("a removed leader leads on, does not count itself, and steps down once the others know", () => {
    const member = new LoneMember({ id: 2 });
    // The removal was proposed by an earlier leader.
    const data = encodeConfChanges([change("remove", 2)]);
    member.receive({
      ...{ kind: "append", from: 1, term: 1, prevIndex: 0, prevTerm: 0, commit: 0 },
      entries: [{ index: 1, term: 1, kind: "confChange", data }],
    });
    member.elect();
    member.acknowledge(1, 2);
    expect(member.node.status().confState.voters).to.deep.equal([1, 3]);
    expect(member.node.leadership().role).to.equal("leader");
    expect(reasonOf(member.node.propose(new Uint8Array(1)))).to.equal("transferring");
    member.acknowledge(1, 3);
    expect(member.node.leadership().role, "one of the two who remain knows").to.equal("leader");
    member.acknowledge(3, 3);
    expect(member.node.leadership().role).to.equal("follower");
    expect(member.tick(5 * ELECTION_TICKS), "nobody needs it any more").to.deep.equal([]);
  });

  it("a removed server with entries nobody else may have still stands, and goes when they are known", () => {
    const member = new LoneMember({ id: 2 });
    const data = encodeConfChanges([change("remove", 2)]);
    const removal = { index: 1, term: 1, kind: "confChange", data } as const;
    const entries = [removal, ...entriesOf([1], 2)];
    const carrier = { from: 1, term: 1, prevIndex: 0, prevTerm: 0, commit: 1 };
    member.receive({ kind: "append", ...carrier, entries });
    member.elect();
    expect(member.node.leadership().role).to.equal("leader");
    for (const from of [1, 3]) member.acknowledge(from, member.node.status().lastIndex);
    expect(member.node.leadership().role).to.equal("follower");
    expect(member.tick(5 * ELECTION_TICKS)).to.deep.equal([]);
  });

  it("a leader does not remove itself", () => {
    const answer = leaderOf().node.proposeConfChange(change("remove", 1));
    expect(reasonOf(answer)).to.equal("invalid");
  });
});

describe("raft thesis §4.3 joint consensus", () => {
  it("several changes enter a joint configuration, and the leader leaves it by itself", () => {
    const member = leaderOf();
    member.node.proposeConfChange(change("addVoter", 4), change("remove", 3));
    member.settle();
    member.acknowledge(2, 2);
    expect(member.node.status().confState).to.deep.equal({
      voters: [1, 2, 4],
      votersOutgoing: [1, 2, 3],
      learners: [],
    });
    member.acknowledge(2, 3);
    member.acknowledge(4, 3);
    expect(member.node.status().confState).to.deep.equal({
      voters: [1, 2, 4],
      votersOutgoing: [],
      learners: [],
    });
  });
});

describe("raft thesis §6.2 a leader without a majority", () => {
  it("steps down when an election timeout passes without answers from a majority", () => {
    const member = leaderOf();
    member.tick(ELECTION_TICKS);
    expect(member.node.leadership().role).to.equal("leader");
    member.tick(ELECTION_TICKS);
    expect(member.node.leadership()).to.deep.equal({ role: "follower", term: 1, leader: 0 });
  });

  it("leads on while a majority answers", () => {
    const member = leaderOf();
    for (let i = 0; i < 5 * ELECTION_TICKS; i++) {
      member.tick();
      member.receive({ kind: "heartbeatReply", from: 3, term: 1, context: 0, sentAt: 0 });
    }
    expect(member.node.leadership().role).to.equal("leader");
  });

  it("tells whose reads it will not answer", () => {
    const member = leaderOf();
    member.node.readIndex(5);
    member.settle();
    member.node.step({
      kind: "heartbeat",
      from: 2,
      to: 1,
      term: 2,
      commit: 0,
      context: 0,
      sentAt: 0,
    });
    expect(member.node.takeReady()?.lostReads).to.deep.equal([5]);
  });
});

describe("raft thesis §6.4 read-only queries", () => {
  const answer = (from: number, context: number): Incoming => ({
    kind: "heartbeatReply",
    from,
    term: 1,
    context,
    sentAt: 0,
  });

  it("a new leader waits for its first committed entry", () => {
    const member = new LoneMember();
    member.elect();
    member.node.readIndex(1);
    expect(ofKind(member.settle(), "heartbeat")).to.deep.equal([]);
    expect(
      ofKind(member.acknowledge(2, 1), "heartbeat").map(({ context }) => context),
    ).to.deep.equal([1, 1]);
  });

  it("the read index is the commit index when the read was asked", () => {
    const reads: { index: number }[] = [];
    const member = leaderOf();
    member.node.readIndex(1);
    member.settle();
    member.propose("later");
    member.acknowledge(2, 2);
    member.node.step({ ...answer(2, 1), to: 1 } as Parameters<typeof member.node.step>[0]);
    reads.push(...(member.node.takeReady()?.reads ?? []));
    expect(reads).to.deep.equal([{ context: 1, index: 1 }]);
  });

  it("an answer to an earlier round proves nothing", () => {
    const member = leaderOf();
    member.node.readIndex(1);
    member.settle();
    member.receive(answer(2, 1));
    member.node.readIndex(2);
    member.settle();
    member.node.step({ ...answer(3, 1), to: 1 } as Parameters<typeof member.node.step>[0]);
    expect(member.node.takeReady()).to.equal(undefined);
  });

  it("one round of heartbeats serves all that wait", () => {
    const member = leaderOf();
    for (let context = 1; context <= 100; context++) member.node.readIndex(context);
    expect(ofKind(member.settle(), "heartbeat")).to.have.length(2);
  });
});

describe("raft thesis §6.4.1 leases", () => {
  const LEASE_TICKS = 4;

  /** A member of a group with leases, and its clock. */
  function leasing(options: ConstructorParameters<typeof LoneMember>[0] = {}) {
    const clock = { now: 1 };
    const lease = { now: () => clock.now, ticks: LEASE_TICKS };
    return { clock, member: new LoneMember({ ...options, limits: { lease } }) };
  }

  /** That of a group of three, after its first heartbeat at the time 100 was answered by one. */
  function leadingByLease() {
    const { clock, member } = leasing();
    member.tick(2 * ELECTION_TICKS);
    member.elect();
    member.acknowledge(2, 1);
    clock.now = 100;
    member.tick();
    answer(member, 100);
    return { clock, member };
  }

  function answer(member: LoneMember, sentAt: number): void {
    const { term } = member.node.leadership();
    member.receive({ kind: "heartbeatReply", from: 2, term, context: 0, sentAt });
  }

  /** Whether a read is answered without asking anybody. */
  function isReadFree(member: LoneMember): boolean {
    member.node.readIndex(1);
    const ready = member.node.takeReady();
    const asks = ofKind(ready?.messages ?? [], "heartbeat").length > 0;
    expect(ready?.reads ?? []).to.have.length(asks ? 0 : 1);
    return !asks;
  }

  const vote = (kind: "preVote" | "vote", term: number, force = false): Incoming => ({
    ...{ kind, from: 3, term, lastIndex: 9, lastTerm: term - 1, force },
  });

  it("the lease holds for its time after a heartbeat was sent that a majority answered", () => {
    const { clock, member } = leadingByLease();
    clock.now = 100 + LEASE_TICKS - 0.1;
    expect(isReadFree(member)).to.equal(true);
    clock.now = 100 + LEASE_TICKS;
    expect(isReadFree(member)).to.equal(false);
  });

  it("each answer renews it, from when its heartbeat was sent, however late it comes", () => {
    const { clock, member } = leadingByLease();
    clock.now = 103;
    member.tick();
    clock.now = 106;
    answer(member, 103);
    expect(isReadFree(member)).to.equal(true);
    answer(member, 101);
    clock.now = 107;
    expect(isReadFree(member)).to.equal(false);
  });

  it("a heartbeat says when it was sent, and its answer repeats that", () => {
    const { clock, member } = leadingByLease();
    clock.now = 101.5;
    const sent = ofKind(member.tick(), "heartbeat").map(({ sentAt }) => sentAt);
    expect(sent).to.deep.equal([101.5, 101.5]);
    const follower = leasing().member;
    const [reply] = ofKind(
      follower.receive({ kind: "heartbeat", from: 2, term: 1, commit: 0, context: 0, sentAt: 7.5 }),
      "heartbeatReply",
    );
    expect(reply).to.include({ sentAt: 7.5 });
  });

  it("a new leader has none before its first committed entry", () => {
    const { clock, member } = leasing();
    member.tick(2 * ELECTION_TICKS);
    member.elect();
    answer(member, clock.now);
    member.node.readIndex(1);
    expect(member.node.takeReady()?.reads ?? []).to.deep.equal([]);
  });

  it("an answer without a time gives none: that member knows no leases", () => {
    const { member } = leasing();
    member.tick(2 * ELECTION_TICKS);
    member.elect();
    member.acknowledge(2, 1);
    answer(member, 0);
    expect(isReadFree(member)).to.equal(false);
  });

  it("the answers of a minority give none", () => {
    const { clock, member } = leasing({ conf: { voters: [1, 2, 3, 4, 5] } });
    member.tick(2 * ELECTION_TICKS);
    member.elect();
    for (const from of [2, 3]) member.acknowledge(from, 1);
    answer(member, clock.now);
    expect(isReadFree(member)).to.equal(false);
  });

  it("who told another to stand for election has none any more, though it goes on leading (§3.10)", () => {
    const { member } = leadingByLease();
    member.node.transferLeadership(2);
    expect(ofKind(member.settle(), "timeoutNow")).to.have.length(1);
    member.tick(ELECTION_TICKS - 1);
    answer(member, 100);
    expect(member.node.status()).to.include({ role: "leader" });
    expect(isReadFree(member)).to.equal(false);
  });

  for (const kind of ["preVote", "vote"] as const) {
    it(`a ${kind} is given to nobody for an election timeout after a leader was heard, whatever the terms`, () => {
      const { member } = leasing();
      member.receive({ kind: "heartbeat", from: 2, term: 1, commit: 0, context: 0, sentAt: 1 });
      // It learns of a higher term, and has no leader in that.
      member.receive({ kind: "voteReply", from: 3, term: 5, granted: false });
      expect(member.node.leadership()).to.include({ term: 5, leader: 0 });
      member.tick(ELECTION_TICKS - 1);
      expect(member.receive(vote(kind, 6))).to.deep.equal([]);
      member.tick();
      expect(member.receive(vote(kind, 7))).to.have.length(1);
    });

    it(`a ${kind} is given to nobody for an election timeout after a start`, () => {
      const { member } = leasing();
      member.receive({ kind: "heartbeat", from: 2, term: 1, commit: 0, context: 0, sentAt: 1 });
      member.restart();
      expect(member.receive(vote(kind, 2))).to.deep.equal([]);
      member.tick(ELECTION_TICKS);
      expect(member.receive(vote(kind, 2))).to.have.length(1);
    });
  }

  it("but to who stands at the leader's wish, since that one has given up its lease", () => {
    const { member } = leasing();
    member.receive({ kind: "heartbeat", from: 2, term: 1, commit: 0, context: 0, sentAt: 1 });
    expect(isGranted(member.receive(vote("vote", 2, true)))).to.equal(true);
  });

  it("nobody stands for election either who may be counted on, but the only voter", () => {
    const { member } = leasing();
    member.node.campaign();
    expect(member.settle()).to.deep.equal([]);
    const alone = leasing({ conf: { voters: [1] } }).member;
    alone.node.campaign();
    alone.settle();
    expect(alone.node.leadership()).to.include({ role: "leader" });
  });
});

describe("raft thesis §9.6 pre-vote", () => {
  const preVote = (term: number, lastIndex: number, lastTerm: number): Incoming => ({
    kind: "preVote",
    from: 3,
    term,
    lastIndex,
    lastTerm,
    force: false,
  });

  it("a candidate increments its term only when a majority would vote for it", () => {
    const member = new LoneMember({ hardState: { term: 4 } });
    member.tick(5 * ELECTION_TICKS);
    expect(member.node.leadership()).to.include({ role: "preCandidate", term: 4 });
    expect(member.sim.durable.hardState).to.include({ term: 4, vote: 0 });
  });

  it("others would if its log is up to date", () => {
    const member = new LoneMember({ log: [1, 2] });
    const [yes] = ofKind(member.receive(preVote(3, 2, 2)), "preVoteReply");
    const [no] = ofKind(member.receive(preVote(3, 1, 1)), "preVoteReply");
    expect(yes).to.include({ granted: true, term: 3 });
    expect(no).to.include({ granted: false, term: 2 });
  });

  it("and if they have not heard from a leader within the minimum election timeout", () => {
    const member = new LoneMember({ log: [1, 2] });
    member.receive({ kind: "heartbeat", from: 2, term: 2, commit: 0, context: 0, sentAt: 0 });
    expect(member.receive(preVote(3, 2, 2))).to.deep.equal([]);
  });

  it("answering promises nothing: no term is adopted, no vote given", () => {
    const member = new LoneMember({ log: [1, 2] });
    member.receive(preVote(9, 2, 2));
    expect(member.sim.durable.hardState).to.include({ term: 2, vote: 0 });
  });

  for (const { rival, granted } of [
    { rival: 3, granted: false },
    { rival: 1, granted: true },
  ]) {
    it(`of two that ask at once the lower id goes on, here ${Math.min(rival, 2)}: no votes are split`, () => {
      const member = new LoneMember({ id: 2, log: [1, 2] });
      member.node.campaign();
      member.settle();
      const answers = member.receive({ ...preVote(3, 2, 2), from: rival });
      expect(ofKind(answers, "preVoteReply")[0]).to.include({ to: rival, granted });
      // The rival may have had a leader when it was asked first, and not have answered.
      const again = ofKind(answers, "preVote").map(({ to }) => to);
      expect(again).to.deep.equal(granted ? [] : [rival]);
    });
  }

  it("but who lacks entries never goes before who has them", () => {
    const member = new LoneMember({ id: 1, log: [1, 2] });
    member.node.campaign();
    member.settle();
    const [answer] = ofKind(member.receive(preVote(3, 3, 2)), "preVoteReply");
    expect(answer).to.include({ granted: true });
  });
});
