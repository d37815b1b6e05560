import { expect } from "chai";
import { heartbeat, vote } from "../test/support/raft-sim/incoming.ts";
import {
  ELECTION_TICKS,
  type Incoming,
  LoneMember,
  ofKind,
} from "../test/support/raft-sim/lone-member.ts";

/** The paper's sections on groups that change, logs that are compacted, and clients; see raft-paper.test.ts. */

describe("raft paper §6 membership changes", () => {
  it("agreement needs separate majorities of the old and the new configuration", () => {
    const conf = { voters: [1, 4, 5], votersOutgoing: [1, 2, 3] };
    const member = new LoneMember({ conf });
    member.elect();
    member.acknowledge(4, 1);
    member.acknowledge(5, 1);
    expect(member.node.status().commit).to.equal(0);
    member.acknowledge(2, 1);
    expect(member.node.status().commit).to.equal(1);
  });

  it("entries are replicated to all servers in both configurations", () => {
    const conf = { voters: [1, 4], votersOutgoing: [1, 2] };
    const sent = ofKind(new LoneMember({ conf }).elect(), "append");
    expect(sent.map(({ to }) => to).sort()).to.deep.equal([2, 4]);
  });

  it("any server from either configuration may serve as leader", () => {
    const member = new LoneMember({ conf: { voters: [2, 3], votersOutgoing: [1, 2] } });
    member.elect();
    expect(member.node.leadership().role).to.equal("leader");
  });

  it("new servers join as non-voting members: they get entries and do not count", () => {
    const member = new LoneMember({ conf: { voters: [1, 2], learners: [3, 4] } });
    expect(ofKind(member.elect(), "append").map(({ to }) => to)).to.deep.equal([2, 3, 4]);
    member.acknowledge(3, 1);
    member.acknowledge(4, 1);
    expect(member.node.status().commit).to.equal(0);
  });

  it("servers disregard requests for votes while they believe that a leader exists", () => {
    const member = new LoneMember();
    member.receive(heartbeat(2, 1));
    member.tick(ELECTION_TICKS - 1);
    expect(member.receive(vote(3, 9))).to.deep.equal([]);
    expect(member.node.leadership()).to.deep.equal({ role: "follower", term: 1, leader: 2 });
  });
});

describe("raft paper §7 log compaction", () => {
  const CONF = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };

  it("with a snapshot written a server may forget the entries up to it", () => {
    const member = new LoneMember({ log: [1, 1, 2], hardState: { commit: 2 } });
    member.settle();
    member.sim.snapshot(0);
    expect(member.node.status()).to.include({ firstIndex: 3, lastIndex: 3 });
    member.restart();
    expect(member.node.status()).to.include({ firstIndex: 3, lastIndex: 3, commit: 2 });
  });

  it("the snapshot carries the index and term of the last entry it replaces, and the configuration", () => {
    const member = new LoneMember({ log: [1, 1, 2], hardState: { commit: 2 } });
    member.settle();
    expect(member.node.describeSnapshot()).to.deep.equal({ index: 2, term: 1, confState: CONF });
  });

  it("the leader sends a snapshot when it has forgotten the next entry a follower needs", () => {
    const member = new LoneMember({ log: [1, 1, 1], hardState: { commit: 3 } });
    member.settle();
    member.sim.snapshot(0);
    member.elect();
    const sent = member.receive({
      ...{ kind: "appendReply", from: 2, term: 2, accepted: false },
      ...{ index: 3, hintIndex: 1, hintTerm: 1 },
    } as Incoming);
    expect(ofKind(sent, "snapshot")[0]?.snapshot).to.include({ index: 3, term: 1 });
    expect(member.propose("a").filter(({ to }) => to === 2)).to.deep.equal([]);
  });

  it("a follower discards its whole log for a snapshot with what it has not", () => {
    const member = new LoneMember({ log: [1, 1] });
    const snapshot = { index: 5, term: 2, confState: CONF };
    const sent = member.receive({ kind: "snapshot", from: 2, term: 2, snapshot });
    expect(ofKind(sent, "appendReply")[0]).to.include({ accepted: true, index: 5 });
    expect(member.node.status()).to.include({ firstIndex: 6, lastIndex: 5, commit: 5, applied: 5 });
  });

  it("entries that follow a snapshot of a prefix of the log are retained", () => {
    const member = new LoneMember({ log: [1, 1, 1] });
    const snapshot = { index: 2, term: 1, confState: CONF };
    member.receive({ kind: "snapshot", from: 2, term: 1, snapshot });
    expect(member.terms).to.deep.equal([1, 1, 1]);
    expect(member.node.status()).to.include({ lastIndex: 3, commit: 2 });
  });

  it("an old snapshot changes nothing", () => {
    const member = new LoneMember({ log: [1, 1, 1], hardState: { commit: 3 } });
    const snapshot = { index: 1, term: 1, confState: CONF };
    const sent = member.receive({ kind: "snapshot", from: 2, term: 1, snapshot });
    expect(ofKind(sent, "appendReply")[0]).to.include({ accepted: true, index: 3 });
  });
});

describe("raft paper §8 client interaction", () => {
  it("each leader commits a blank entry at the start of its term", () => {
    const member = new LoneMember({ log: [1] });
    const [sent] = ofKind(member.elect(), "append");
    expect(sent?.entries.map(({ term, data }) => [term, data.length])).to.deep.equal([[2, 0]]);
  });

  it("a leader checks that it was not deposed before it answers a read", () => {
    const member = new LoneMember();
    member.elect();
    member.acknowledge(2, 1);
    expect(member.node.readIndex(7)).to.deep.equal({ kind: "accepted" });
    const [asked] = ofKind(member.settle(), "heartbeat");
    member.node.step({
      kind: "heartbeatReply",
      from: 2,
      to: 1,
      term: 1,
      context: asked?.context ?? 0,
      sentAt: 0,
    });
    expect(member.node.takeReady()?.reads).to.deep.equal([{ context: 7, index: 1 }]);
  });
});
