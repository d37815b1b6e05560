import { expect } from "chai";
import { entriesOf, LoneMember, ofKind } from "../test/support/raft-sim/lone-member.ts";
import { bootstrapState, type Message, RaftNode } from "./index.ts";

const NO_CONTEXT = new Uint8Array(0);
const TIMING = { electionTicks: 10, heartbeatTicks: 1, random: () => 0 };

/** A group of one that leads; nothing is proposed yet. */
function alone(limits: { uncommittedBytesMax?: number; readsMax?: number } = {}): RaftNode {
  const stored = bootstrapState([{ raftId: 1, context: NO_CONTEXT }]);
  const node = new RaftNode({ id: 1, ...TIMING, ...limits }, stored);
  carryOut(node);
  node.campaign();
  carryOut(node);
  return node;
}

function carryOut(node: RaftNode): string[] {
  const applied: string[] = [];
  for (let ready = node.takeReady(); ready; ready = node.takeReady()) {
    node.stabledTo(ready.id);
    for (const entry of ready.committed) {
      if (entry.kind === "confChange") node.applyConfChange(entry);
      else applied.push(new TextDecoder().decode(entry.data));
      node.appliedTo(entry.index);
    }
  }
  return applied;
}

describe("raft: a node", () => {
  it("refuses options that make no sense", () => {
    const stored = bootstrapState([{ raftId: 1, context: NO_CONTEXT }]);
    const lease = { now: () => 0, ticks: 10 };
    expect(() => new RaftNode({ id: 1, ...TIMING, lease }, stored)).to.throw("a lease of 10 ticks");
    expect(() => new RaftNode({ id: 0, ...TIMING }, stored)).to.throw("0 is no raft id");
    expect(() => new RaftNode({ id: 1, ...TIMING, heartbeatTicks: 10 }, stored)).to.throw(
      "must be less than electionTicks",
    );
  });

  it("a group of one commits by itself, many proposals in one Ready", () => {
    const node = alone();
    for (const word of ["a", "b", "c"]) node.propose(new TextEncoder().encode(word));
    const ready = node.takeReady();
    expect(ready?.entries.map(({ index }) => index)).to.deep.equal([3, 4, 5]);
    expect(ready?.committed).to.deep.equal([]);
    node.stabledTo(ready?.id ?? 0);
    expect(node.takeReady()?.committed.map(({ index }) => index)).to.deep.equal([3, 4, 5]);
  });

  it("is pushed back when too much is proposed and not committed, and free again after", () => {
    const node = alone({ uncommittedBytesMax: 1000 });
    const big = new Uint8Array(5000);
    expect(node.propose(big).kind, "one that is too large alone passes").to.equal("proposed");
    expect(node.propose(NO_CONTEXT)).to.deep.equal({ kind: "refused", reason: "backlog" });
    carryOut(node);
    expect(node.propose(NO_CONTEXT).kind).to.equal("proposed");
  });

  it("answers several appends that one flush made durable once, for all of them", () => {
    const member = new LoneMember();
    const append = (index: number) =>
      member.sim.step({
        message: {
          ...{ kind: "append", from: 2, to: 1, term: 1, prevIndex: index - 1, commit: 0 },
          ...{ prevTerm: index === 1 ? 0 : 1, entries: entriesOf([1], index) },
        } as Message,
        state: [],
      });
    for (const index of [1, 2, 3]) {
      append(index);
      expect(member.unwritten()).to.deep.equal([]);
    }
    const replies = ofKind(member.settle(), "appendReply");
    expect(replies.map(({ accepted, index }) => [accepted, index])).to.deep.equal([[true, 3]]);
  });

  describe("with lazy commits", () => {
    const lazy = () => {
      const member = new LoneMember({ limits: { lazyCommit: true } });
      member.elect();
      member.acknowledge(2, 1);
      return member;
    };

    it("tells peers of a commit with the next entries", () => {
      const member = lazy();
      expect(member.node.status().commit).to.equal(1);
      expect(ofKind(member.settle(), "append")).to.deep.equal([]);
      const sent = ofKind(member.propose("a"), "append");
      expect(sent.map(({ to, commit }) => [to, commit])).to.deep.include([2, 1]);
    });

    it("tells them with the next heartbeat at the latest", () => {
      const sent = ofKind(lazy().tick(), "heartbeat");
      expect(sent.map(({ to, commit }) => [to, commit])).to.deep.equal([
        [2, 1],
        [3, 0],
      ]);
    });

    it("tells them of a committed membership change at once", () => {
      const member = lazy();
      member.node.proposeConfChange({ kind: "remove", raftId: 3, context: NO_CONTEXT });
      member.settle();
      const sent = ofKind(member.acknowledge(2, 2), "append");
      expect(sent.map(({ to, commit }) => [to, commit])).to.deep.include([2, 2]);
    });
  });

  it("bounds the reads that wait", () => {
    const node = alone({ readsMax: 2 });
    expect(node.readIndex(1).kind).to.equal("accepted");
    expect(node.readIndex(2).kind).to.equal("accepted");
    expect(node.readIndex(3)).to.deep.equal({ kind: "refused", reason: "backlog" });
  });

  it("owes a flush for promises, entries and membership changes, not for a commit that moved", () => {
    const stored = bootstrapState([{ raftId: 1, context: NO_CONTEXT }]);
    const node = new RaftNode({ id: 1, ...TIMING }, stored);
    const first = node.takeReady();
    expect([first?.mustSync, first?.hardState?.commit], "membership").to.deep.equal([true, 1]);

    const other = alone();
    other.propose(NO_CONTEXT);
    const written = other.takeReady();
    expect(written?.mustSync, "entries").to.equal(true);
    other.stabledTo(written?.id ?? 0);
    const committed = other.takeReady();
    expect([committed?.mustSync, committed?.hardState?.commit]).to.deep.equal([false, 3]);
  });

  it("several Readys may be under way: the last one's flush speaks for all", () => {
    const node = alone();
    node.propose(NO_CONTEXT);
    node.takeReady();
    node.propose(NO_CONTEXT);
    const second = node.takeReady();
    expect(node.takeReady()).to.equal(undefined);
    node.stabledTo(second?.id ?? 0);
    expect(node.takeReady()?.committed).to.have.length(2);
  });

  it("a Ready that was never given out cannot be durable", () => {
    expect(() => alone().stabledTo(1000)).to.throw("never given out");
  });

  it("replays its log after a restart, up to what it knows to be committed", () => {
    const member = new LoneMember({ conf: { voters: [1] } });
    member.elect();
    member.propose("a", "b");
    expect(member.applied).to.deep.equal(["a", "b"]);
    member.restart();
    expect(member.applied).to.deep.equal(["a", "b"]);
    expect(member.node.leadership().role).to.equal("follower");
  });

  it("a newcomer stands for no election before it knows a group", () => {
    const member = new LoneMember({ conf: { voters: [] } });
    expect(member.tick(100)).to.deep.equal([]);
  });

  it("ignores what is not for it", () => {
    const member = new LoneMember();
    member.node.step({
      kind: "heartbeat",
      from: 2,
      to: 9,
      term: 5,
      commit: 0,
      context: 0,
      sentAt: 0,
    });
    expect(member.node.leadership().term).to.equal(0);
  });

  it("a snapshot waits for a peer that shows itself", () => {
    const member = new LoneMember({ log: [1, 1], hardState: { commit: 2 } });
    member.settle();
    member.sim.snapshot(0);
    member.elect();
    member.tick(10);
    member.node.reportUnreachable(3);
    expect(ofKind(member.tick(5), "snapshot")).to.deep.equal([]);
  });

  it("keeps some entries before the snapshot, for those a little behind", () => {
    const member = new LoneMember({ conf: { voters: [1] } });
    member.elect();
    member.propose("a", "b", "c", "d");
    member.sim.snapshot(2);
    expect(member.node.status()).to.include({ firstIndex: 4, lastIndex: 5 });
  });
});
