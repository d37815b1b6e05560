import { expect } from "chai";
import { append, heartbeat, isGranted, vote } from "../test/support/raft-sim/incoming.ts";
import {
  ELECTION_TICKS,
  type Incoming,
  LoneMember,
  ofKind,
} from "../test/support/raft-sim/lone-member.ts";
import type { Message } from "./index.ts";

/**
 * One case per sentence of "In Search of an Understandable Consensus Algorithm (Extended Version)" that is implemented.
 * From §6 on: raft-paper-group.test.ts. What the dissertation adds is in raft-thesis.test.ts.
 */

describe("raft paper §5.1 terms", () => {
  const cases: readonly { name: string; prepare: (member: LoneMember) => void }[] = [
    { name: "follower", prepare: (member) => void member.receive(heartbeat(2, 1)) },
    {
      name: "candidate",
      prepare: (member) => {
        member.node.campaign();
        member.settle();
        member.receive({ kind: "preVoteReply", from: 2, term: 1, granted: true });
      },
    },
    { name: "leader", prepare: (member) => void member.elect() },
  ];
  for (const { name, prepare } of cases) {
    it(`a ${name} that sees a larger term adopts it and is a follower`, () => {
      const member = new LoneMember();
      prepare(member);
      expect(member.node.leadership()).to.include({ role: name, term: 1 });
      member.receive(heartbeat(3, 7));
      expect(member.node.leadership()).to.deep.equal({ role: "follower", term: 7, leader: 3 });
    });
  }

  it("a server that receives a request with a stale term number rejects the request", () => {
    const member = new LoneMember({ hardState: { term: 5 } });
    const [reply] = ofKind(member.receive(append(2, 4, [4], 0)), "appendReply");
    expect(reply).to.include({ accepted: false, term: 5 });
    expect(member.terms).to.deep.equal([]);
    expect(isGranted(member.receive(vote(2, 4)))).to.equal(false);
  });

  it("every message carries the current term", () => {
    const member = new LoneMember({ hardState: { term: 3 } });
    const messages = [...member.elect(), ...member.propose("a"), ...member.tick()];
    expect(new Set(messages.map(({ term }) => term))).to.deep.equal(new Set([4]));
  });
});

describe("raft paper §5.2 leader election", () => {
  it("a server starts as a follower", () => {
    expect(new LoneMember({ log: [1, 2] }).node.leadership().role).to.equal("follower");
  });

  it("a follower stays one as long as it hears from a leader", () => {
    const member = new LoneMember();
    for (let i = 0; i < 10; i++) {
      member.receive(heartbeat(2, 1));
      member.tick(ELECTION_TICKS - 1);
    }
    expect(member.node.leadership()).to.deep.equal({ role: "follower", term: 1, leader: 2 });
  });

  it("a leader sends periodic heartbeats to all", () => {
    const member = new LoneMember();
    member.elect();
    const sentTo = ofKind(member.tick(), "heartbeat").map(({ to }) => to);
    expect(sentTo).to.deep.equal([2, 3]);
  });

  it("a follower that hears nothing for the election timeout begins an election", () => {
    const member = new LoneMember();
    expect(member.tick(ELECTION_TICKS - 1)).to.deep.equal([]);
    expect(ofKind(member.tick(), "preVote").map(({ to }) => to)).to.deep.equal([2, 3]);
  });

  it("a candidate increments its term, votes for itself and asks all the others", () => {
    const member = new LoneMember({ hardState: { term: 4 } });
    member.node.campaign();
    member.settle();
    const requests = member.receive({ kind: "preVoteReply", from: 2, term: 5, granted: true });
    expect(ofKind(requests, "vote").map(({ to, term }) => [to, term])).to.deep.equal([
      [2, 5],
      [3, 5],
    ]);
    expect(member.sim.durable.hardState).to.include({ term: 5, vote: 1 });
  });

  const tables: readonly {
    voters: readonly number[];
    answers: Record<number, boolean>;
    role: string;
  }[] = [
    { voters: [1], answers: {}, role: "leader" },
    { voters: [1, 2, 3], answers: { 2: true }, role: "leader" },
    { voters: [1, 2, 3], answers: { 2: false, 3: true }, role: "leader" },
    { voters: [1, 2, 3], answers: { 2: false }, role: "candidate" },
    { voters: [1, 2, 3], answers: { 2: false, 3: false }, role: "follower" },
    { voters: [1, 2, 3, 4, 5], answers: { 2: true }, role: "candidate" },
    { voters: [1, 2, 3, 4, 5], answers: { 2: true, 3: true }, role: "leader" },
    {
      voters: [1, 2, 3, 4, 5],
      answers: { 2: true, 3: false, 4: false, 5: false },
      role: "follower",
    },
  ];
  for (const { voters, answers, role } of tables) {
    it(`a candidate among ${voters.length} with the answers ${JSON.stringify(answers)} is a ${role}`, () => {
      const member = new LoneMember({ conf: { voters } });
      member.node.campaign();
      member.settle();
      for (const from of voters.slice(1)) {
        member.receive({ kind: "preVoteReply", from, term: 1, granted: true });
      }
      for (const [from, granted] of Object.entries(answers)) {
        member.receive({ kind: "voteReply", from: Number(from), term: 1, granted });
      }
      expect(member.node.leadership().role).to.equal(role);
    });
  }

  it("one member's vote counts once", () => {
    const member = new LoneMember({ conf: { voters: [1, 2, 3, 4, 5] } });
    member.node.campaign();
    member.settle();
    for (const from of [2, 3])
      member.receive({ kind: "preVoteReply", from, term: 1, granted: true });
    for (let i = 0; i < 4; i++)
      member.receive({ kind: "voteReply", from: 2, term: 1, granted: true });
    expect(member.node.leadership().role).to.equal("candidate");
  });

  it("each server votes for at most one candidate in a term, first come first served", () => {
    const member = new LoneMember();
    expect(isGranted(member.receive(vote(2, 1)))).to.equal(true);
    expect(isGranted(member.receive(vote(3, 1)))).to.equal(false);
    expect(isGranted(member.receive(vote(2, 1)))).to.equal(true);
    expect(isGranted(member.receive(vote(3, 2)))).to.equal(true);
  });

  it("a new leader sends to all at once, to prevent new elections", () => {
    const messages = ofKind(new LoneMember().elect(), "append");
    expect(messages.map(({ to }) => to)).to.deep.equal([2, 3]);
  });

  it("a candidate that hears from a leader of its term, or a later one, recognizes it", () => {
    for (const term of [1, 2]) {
      const member = new LoneMember();
      member.node.campaign();
      member.settle();
      member.receive({ kind: "preVoteReply", from: 2, term: 1, granted: true });
      member.receive(append(3, term, [], 0));
      expect(member.node.leadership()).to.deep.equal({ role: "follower", term, leader: 3 });
    }
  });

  it("a candidate that hears from a leader of an earlier term rejects it and continues", () => {
    const member = new LoneMember({ hardState: { term: 4 } });
    member.node.campaign();
    member.settle();
    member.receive({ kind: "preVoteReply", from: 2, term: 5, granted: true });
    member.receive(append(3, 4, [4], 0));
    expect(member.node.leadership()).to.include({ role: "candidate", term: 5 });
  });

  it("a candidate that neither wins nor loses times out and begins anew", () => {
    const member = new LoneMember();
    member.node.campaign();
    member.settle();
    member.receive({ kind: "preVoteReply", from: 2, term: 1, granted: true });
    const messages = member.tick(ELECTION_TICKS);
    expect(ofKind(messages, "preVote").map(({ term }) => term)).to.deep.equal([2, 2]);
  });

  it("election timeouts are chosen at random from an interval, from one to two timeouts", () => {
    const ticksFor = (chance: number): number => {
      const member = new LoneMember({ random: () => chance });
      let ticks = 1;
      while (member.tick().length === 0) ticks += 1;
      return ticks;
    };
    expect([0, 0.5, 0.999].map(ticksFor)).to.deep.equal([10, 15, 19]);
  });
});

describe("raft paper §5.3 log replication", () => {
  it("the leader appends a command as a new entry and sends it to all in parallel", () => {
    const member = new LoneMember();
    member.elect();
    member.acknowledge(2, 1);
    member.acknowledge(3, 1);
    const sent = ofKind(member.propose("a"), "append");
    expect(
      sent.map(({ to, entries }) => [to, entries.map(({ index, term }) => [index, term])]),
    ).to.deep.equal([
      [2, [[2, 1]]],
      [3, [[2, 1]]],
    ]);
  });

  it("an entry is committed once the leader that created it has replicated it on a majority", () => {
    const member = new LoneMember({ conf: { voters: [1, 2, 3, 4, 5] } });
    member.elect();
    member.propose("a");
    member.acknowledge(2, 2);
    expect(member.applied).to.deep.equal([]);
    member.acknowledge(3, 2);
    expect(member.applied).to.deep.equal(["a"]);
  });

  it("this commits all preceding entries, those of earlier leaders too", () => {
    const member = new LoneMember({ log: [1, 2] });
    member.elect();
    member.acknowledge(2, 3);
    expect(member.applied).to.deep.equal(["1/1", "2/2"]);
  });

  it("the leader includes the highest committed index in what it sends, so that others find out", () => {
    const member = new LoneMember();
    member.elect();
    member.propose("a");
    const sent = ofKind(member.acknowledge(2, 2), "append");
    expect(sent.find(({ to }) => to === 2)?.commit).to.equal(2);
  });

  it("a follower applies an entry, in log order, once it learns that it is committed", () => {
    const member = new LoneMember();
    member.receive(append(2, 1, [1, 1], 0));
    expect(member.applied).to.deep.equal([]);
    member.receive(append(2, 1, [1, 1, 1], 2, 2));
    expect(member.applied).to.deep.equal(["1/1", "1/2"]);
  });

  it("a follower that does not find the entry before the new ones refuses them", () => {
    const member = new LoneMember({ log: [1, 1] });
    for (const [log, prevIndex] of [
      [[1, 1, 1, 2], 3],
      [[1, 2, 2], 2],
    ] as const) {
      const [reply] = ofKind(member.receive(append(2, 2, log, prevIndex)), "appendReply");
      expect(reply).to.include({ accepted: false, index: prevIndex });
    }
    expect(member.terms).to.deep.equal([1, 1]);
  });

  // Figure 7: the leader of term 8, and what the others may have.
  const LEADER = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const FIGURE_7: Readonly<Record<string, readonly number[]>> = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  for (const [name, log] of Object.entries(FIGURE_7)) {
    it(`the leader forces follower ${name} of Figure 7 to duplicate its log, one refusal per term`, () => {
      const leader = new LoneMember({ log: LEADER, hardState: { term: 7 } });
      const follower = new LoneMember({ id: 2, log, hardState: { term: 7 } });
      const refusals = replicate(leader, follower, leader.elect());
      expect(follower.terms).to.deep.equal([...LEADER, 8]);
      expect(leader.terms).to.deep.equal([...LEADER, 8]);
      expect(refusals).to.be.at.most(2);
    });
  }

  it("the leader retries until the follower has everything", () => {
    const leader = new LoneMember({ log: LEADER });
    const follower = new LoneMember({ id: 2, log: [1], hardState: { term: 6 } });
    leader.elect();
    const isThere: Incoming = { kind: "heartbeatReply", from: 2, term: 7, context: 0, sentAt: 0 };
    // What it sends is lost; whenever the follower shows itself it sends again.
    for (let i = 0; i < 3; i++) expect(ofKind(leader.receive(isThere), "append")).to.have.length(1);
    replicate(leader, follower, leader.receive(isThere));
    expect(follower.terms).to.deep.equal([...LEADER, 7]);
  });

  it("a late message with entries already there shortens nothing (§5.5: requests are idempotent)", () => {
    const member = new LoneMember();
    member.receive(append(2, 1, [1, 1, 1], 0));
    const [reply] = ofKind(member.receive(append(2, 1, [1], 0)), "appendReply");
    expect(reply).to.include({ accepted: true, index: 1 });
    expect(member.terms).to.deep.equal([1, 1, 1]);
  });
});

describe("raft paper §5.4 safety", () => {
  const voter = [1, 1, 2];
  const cases: readonly { log: readonly number[]; granted: boolean; name: string }[] = [
    { name: "the same log", log: [1, 1, 2], granted: true },
    { name: "a longer log of the same last term", log: [1, 1, 2, 2], granted: true },
    { name: "a shorter log of the same last term", log: [1, 2], granted: false },
    { name: "a shorter log with a later last term", log: [3], granted: true },
    { name: "a longer log with an earlier last term", log: [1, 1, 1, 1, 1], granted: false },
    { name: "no log", log: [], granted: false },
  ];
  for (const { name, log, granted } of cases) {
    it(`§5.4.1 the voter ${granted ? "gives" : "denies"} its vote to a candidate with ${name}`, () => {
      const member = new LoneMember({ log: voter });
      expect(isGranted(member.receive(vote(2, 5, log)))).to.equal(granted);
    });
  }

  it("§5.4.2 Figure 8: an entry of an earlier term is not committed by counting replicas", () => {
    // (c): S1 leads term 4 and has replicated its entry 2 of term 2 on a majority.
    const member = new LoneMember({
      conf: { voters: [1, 2, 3, 4, 5] },
      log: [1, 2],
      hardState: { term: 3, commit: 1 },
    });
    member.elect();
    member.acknowledge(2, 2);
    member.acknowledge(3, 2);
    expect(member.node.status().commit).to.equal(1);
    // (e): with an entry of its own term on a majority both are.
    member.acknowledge(2, 3);
    member.acknowledge(3, 3);
    expect(member.node.status().commit).to.equal(3);
  });
});

describe("raft paper §5.5, Figure 2: persistent state is updated before answering", () => {
  it("a vote is not given before it is durable", () => {
    const member = new LoneMember();
    member.sim.step({ message: { ...vote(2, 1), to: 1 } as Message, state: [] });
    expect(member.unwritten()).to.deep.equal([]);
    member.sim.flush();
    expect(isGranted(member.unwritten())).to.equal(true);
  });

  it("a vote outlives a crash", () => {
    const member = new LoneMember();
    member.receive(vote(2, 1));
    member.restart();
    expect(isGranted(member.receive(vote(3, 1)))).to.equal(false);
    expect(isGranted(member.receive(vote(2, 1)))).to.equal(true);
  });

  it("a vote given in a term that was adopted earlier is durable too", () => {
    const member = new LoneMember({ log: [1, 1] });
    member.receive(vote(2, 2, [1]));
    member.receive(vote(3, 2, [1, 1]));
    member.restart();
    expect(isGranted(member.receive(vote(2, 2, [1, 1, 1])))).to.equal(false);
  });

  it("entries are not acknowledged before they are durable", () => {
    const member = new LoneMember();
    member.sim.step({ message: { ...append(2, 1, [1], 0), to: 1 } as Message, state: [] });
    expect(member.unwritten()).to.deep.equal([]);
    member.sim.flush();
    expect(ofKind(member.unwritten(), "appendReply")[0]).to.include({ accepted: true, index: 1 });
  });

  it("a candidate asks nobody before its own vote is durable, and counts it only then", () => {
    const member = new LoneMember({ conf: { voters: [1] } });
    member.node.campaign();
    expect(member.unwritten()).to.deep.equal([]);
    expect(member.node.leadership().role).to.equal("candidate");
    member.settle();
    expect(member.node.leadership().role).to.equal("leader");
  });

  it("a leader sends before its own disk has the entry, and counts its disk only then", () => {
    const member = new LoneMember({ conf: { voters: [1, 2] } });
    member.elect();
    member.acknowledge(2, 1);
    member.node.propose(new Uint8Array(1));
    expect(ofKind(member.unwritten(), "append")).to.have.length(1);
    member.sim.step({
      message: {
        ...{ kind: "appendReply", from: 2, to: 1, term: 1, accepted: true },
        ...{ index: 2, hintIndex: 0, hintTerm: 0 },
      } as Message,
      state: undefined,
    });
    member.unwritten();
    expect(member.node.status().commit).to.equal(1);
    member.settle();
    expect(member.node.status().commit).to.equal(2);
  });
});

/** Carries messages between two until both rest. @returns how often the follower refused. */
function replicate(leader: LoneMember, follower: LoneMember, first: readonly Message[]): number {
  let refusals = 0;
  let messages = first.filter(({ to }) => to === follower.id);
  while (messages.length > 0) {
    const replies = messages.flatMap((message) => follower.receive(message));
    refusals += ofKind(replies, "appendReply").filter(({ accepted }) => !accepted).length;
    messages = replies
      .flatMap((reply) => leader.receive(reply))
      .filter(({ to }) => to === follower.id);
  }
  return refusals;
}
