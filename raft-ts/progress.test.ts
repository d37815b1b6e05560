import { expect } from "chai";
import { Progress } from "./progress.ts";

const LAST = 20;
const FIRST = 1;

/** Of a peer of a log 1..20, with all of it committed; room for two appends of 100 bytes in all. */
function make(): Progress {
  return new Progress(11, { countMax: 2, bytesMax: 100 });
}

function replicating(): Progress {
  const peer = make();
  peer.sentAppend(0, 0, LAST);
  peer.accepted(10, FIRST);
  return peer;
}

const wants = (peer: Progress): boolean => peer.wantsAppend(LAST, LAST);

describe("raft: what the leader knows of a peer", () => {
  it("begins by probing: one append, then silence until it is answered", () => {
    const peer = make();
    expect(wants(peer)).to.equal(true);
    peer.sentAppend(5, 10, LAST);
    expect([peer.state, peer.next, wants(peer)]).to.deep.equal(["probe", 11, false]);
  });

  it("a heartbeat's answer allows the next probe", () => {
    const peer = make();
    peer.sentAppend(5, 10, LAST);
    peer.heartbeatAnswered(LAST);
    expect(wants(peer)).to.equal(true);
  });

  it("an accepted probe starts pipelining", () => {
    const peer = make();
    peer.sentAppend(2, 10, LAST);
    peer.accepted(12, FIRST);
    expect([peer.state, peer.match, peer.next]).to.deep.equal(["replicate", 12, 13]);
  });

  it("the window is bounded by count and by bytes, and opens again", () => {
    for (const bytes of [10, 60]) {
      const peer = replicating();
      peer.sentAppend(1, bytes, LAST);
      peer.sentAppend(1, bytes, LAST);
      expect([peer.next, wants(peer), peer.mayCarryEntries]).to.deep.equal([13, false, false]);
      peer.accepted(11, FIRST);
      expect(wants(peer)).to.equal(true);
    }
    const peer = replicating();
    peer.sentAppend(1, 100, LAST);
    expect(wants(peer)).to.equal(false);
  });

  it("a peer whose window is full and answers heartbeats is nudged by one empty append", () => {
    const peer = replicating();
    peer.sentAppend(1, 100, LAST);
    peer.heartbeatAnswered(LAST);
    expect([wants(peer), peer.mayCarryEntries]).to.deep.equal([true, false]);
    peer.sentAppend(0, 0, LAST);
    expect(wants(peer)).to.equal(false);
  });

  it("a new commit is worth an append, once", () => {
    const peer = make();
    peer.accepted(10, FIRST);
    peer.sentAppend(10, 10, 15);
    expect(peer.wantsAppend(LAST, 15)).to.equal(false);
    expect(peer.wantsAppend(LAST, 16)).to.equal(true);
  });

  it("a refusal goes back to probing, from where the follower suggests", () => {
    const peer = replicating();
    peer.sentAppend(5, 10, LAST);
    peer.refused(15, 12);
    expect([peer.state, peer.next, wants(peer)]).to.deep.equal(["probe", 13, true]);
  });

  it("never goes back before what is known to match", () => {
    const peer = replicating();
    peer.refused(15, 3);
    expect(peer.next).to.equal(11);
  });

  for (const { name, index } of [
    { name: "of what is known to match", index: 10 },
    { name: "of another probe", index: 7 },
  ]) {
    it(`an old refusal, ${name}, changes nothing`, () => {
      const peer = make();
      peer.accepted(10, FIRST);
      peer.unreachable();
      peer.refused(index, 5);
      expect([peer.state, peer.match, peer.next]).to.deep.equal(["probe", 10, 11]);
    });
  }

  it("gets nothing while a snapshot is under way", () => {
    const peer = make();
    peer.sentSnapshot(15);
    peer.heartbeatAnswered(LAST);
    expect([peer.state, wants(peer)]).to.deep.equal(["snapshot", false]);
  });

  for (const { ok, next } of [
    { ok: true, next: 16 },
    { ok: false, next: 1 },
  ]) {
    it(`a snapshot that ${ok ? "arrived" : "was lost"} leads to a probe at ${next}, when the peer answers`, () => {
      const peer = make();
      peer.sentSnapshot(15);
      peer.snapshotEnded(ok);
      expect([peer.state, peer.next, wants(peer)]).to.deep.equal(["probe", next, false]);
      peer.heartbeatAnswered(LAST);
      expect(wants(peer)).to.equal(true);
    });
  }

  it("the peer's own answer to a snapshot starts pipelining", () => {
    const peer = make();
    peer.sentSnapshot(15);
    peer.accepted(15, 12);
    expect([peer.state, peer.next]).to.deep.equal(["replicate", 16]);
  });

  it("a peer that cannot be reached is probed", () => {
    const peer = replicating();
    peer.sentAppend(5, 10, LAST);
    peer.unreachable();
    expect([peer.state, peer.next]).to.deep.equal(["probe", 11]);
  });
});
