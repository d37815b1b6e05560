import { expect } from "chai";
import { EtcdHead, EtcdSnapshot } from "../../../proto/gen/etcd.ts";
import { RaftMember } from "../../../proto/gen/raft.ts";
import type { KeyEvent, KeyValue } from "./etcd-kv.ts";
import { Keys, prefixEnd, recordIndex } from "./keys.ts";
import { MetaView } from "./meta-view.ts";

const KEYS = new Keys("/muster/", "swarm");
const NOTHING = new Uint8Array(0);

function entry(key: string, revision: number, value: Uint8Array = NOTHING, created = revision) {
  return { key, value, createRevision: created, modRevision: revision };
}
const head = (index: number, revision: number): KeyValue =>
  entry(KEYS.head, revision, EtcdHead.encode({ index }).finish(), 1);
const candidate = (raftId: number, revision: number) => entry(KEYS.candidate(raftId), revision);
const put = (one: KeyValue): KeyEvent => ({ kind: "put", entry: one });
const gone = (key: string, modRevision: number): KeyEvent => ({
  kind: "removed",
  key,
  modRevision,
});

function viewOf(entries: readonly KeyValue[], revision: number): MetaView {
  const view = new MetaView(KEYS);
  view.replace(entries, revision);
  return view;
}

describe("etcd: keys", () => {
  it("sort as their numbers do, and are found again", () => {
    const keys = [9, 10, 99_999_999_999].map((index) => KEYS.record(index));
    expect([...keys].sort()).to.deep.equal(keys);
    expect(keys.map(recordIndex)).to.deep.equal([9, 10, 99_999_999_999]);
    expect(KEYS.record(1) < prefixEnd(`${KEYS.root}log/`)).to.equal(true);
  });

  it("say what they are about; what a newer version may write is passed over", () => {
    expect(KEYS.parseMeta(KEYS.head)).to.deep.equal({ kind: "head" });
    expect(KEYS.parseMeta(KEYS.member(7))).to.deep.equal({ kind: "member", number: 7 });
    expect(KEYS.parseMeta(KEYS.snapshot(12))).to.deep.equal({ kind: "snapshot", number: 12 });
    expect(KEYS.parseMeta(`${KEYS.meta}toString/1`)).to.equal(undefined);
    expect(KEYS.parseMeta(`${KEYS.meta}members/1/x`)).to.equal(undefined);
  });
});

describe("etcd: meta view", () => {
  it("tells head, members, candidates and snapshots apart", () => {
    const member = { raftId: 2, nodeId: "n2", addr: "h2:1", learner: true };
    const snapshots = [5, 9].map((index) =>
      entry(
        KEYS.snapshot(index),
        3,
        EtcdSnapshot.encode({ index, parts: 1, sha256: Buffer.from("") }).finish(),
      ),
    );
    const { meta } = viewOf(
      [
        head(9, 8),
        candidate(3, 7),
        candidate(1, 6),
        entry(KEYS.member(2), 4, RaftMember.encode(RaftMember.create(member)).finish()),
        entry(KEYS.removed(5), 4),
        entry(KEYS.present(2), 5, Buffer.from("n2")),
        ...snapshots,
      ],
      10,
    );
    expect(meta.head).to.deep.equal({ index: 9, modRevision: 8 });
    expect(meta.candidates.map(({ raftId, term }) => [raftId, term])).to.deep.equal([
      [1, 6],
      [3, 7],
    ]);
    expect(meta.members).to.deep.equal({ members: [member], removed: [5] });
    expect(meta.present.get(2)).to.equal("n2");
    expect(meta.snapshots.map(({ index }) => index)).to.deep.equal([9, 5]);
  });

  it("keeps the newest of what events, own writes and looks say, in any order", () => {
    const view = viewOf([head(1, 2)], 5);
    view.apply(put(head(4, 9)));
    view.apply(put(head(3, 8)));
    expect(view.meta.head?.index).to.equal(4);
    view.replace([head(2, 7)], 7);
    expect(view.meta.head?.index).to.equal(4);
    view.replace([head(5, 10)], 11);
    view.apply(put(head(4, 9)));
    expect(view.meta.head?.index).to.equal(5);
  });

  it("does not bring back what went while an older look was under way", () => {
    const view = viewOf([candidate(1, 3)], 5);
    view.apply(gone(KEYS.candidate(1), 8));
    view.replace([candidate(1, 3)], 6);
    expect(view.meta.candidates).to.deep.equal([]);
    view.apply(put(candidate(1, 9)));
    expect(view.meta.candidates).to.deep.equal([{ raftId: 1, term: 9 }]);
  });

  it("forgets what a newer look no longer sees", () => {
    const view = viewOf([candidate(1, 3), head(1, 2)], 5);
    view.replace([head(1, 2)], 6);
    expect(view.meta.candidates).to.deep.equal([]);
  });
});
