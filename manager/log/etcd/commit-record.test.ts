import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { EtcdRecord } from "../../../proto/gen/etcd.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { type Batch, commitRecord, type Outcome } from "./commit-record.ts";
import type { EtcdKv, KeyValue, Txn, TxnResult } from "./etcd-kv.ts";
import { Keys } from "./keys.ts";
import { countFitting, encodeRecord, RECORD_ENTRIES_MAX, VALUE_BYTES_MAX } from "./record.ts";

const KEYS = new Keys("/muster", "swarm");
const TERM = 40;
const HEAD = { index: 6, modRevision: 50 };
const BATCH: Batch = {
  entries: [Buffer.from("a"), Buffer.from("b")],
  term: TERM,
  sequence: 3,
  head: HEAD,
};
const LOST = new ClusterError("Unavailable", "lost", { details: { outcomeUnknown: true } });

type Answer = TxnResult | ClusterError;

const held = (revision: number): Answer => ({ held: true, revision, found: [] });
const kv = (key: string, value: Uint8Array, createRevision: number): KeyValue => ({
  ...{ key, value, createRevision, modRevision: 51 },
});
/** What a transaction finds whose conditions do not hold. */
function refused(found: { readonly sequence?: number; readonly candidate?: number }): Answer {
  const { sequence, candidate } = found;
  const record = { term: TERM, sequence: sequence ?? 0, entries: [], parts: 0 };
  const value = EtcdRecord.encode(record).finish();
  return {
    held: false,
    revision: 60,
    found: [
      sequence === undefined ? [] : [kv(KEYS.record(7), value, 51)],
      candidate === undefined ? [] : [kv(KEYS.candidate(1), new Uint8Array(0), candidate)],
    ],
  };
}

/** Commits against scripted answers; leadership ends with them. */
async function commit(
  answers: Answer[],
  batch = BATCH,
): Promise<{ outcome: Outcome; txns: Txn[] }> {
  const clock = new FakeClock();
  const txns: Txn[] = [];
  const txn = async (request: Txn): Promise<TxnResult> => {
    txns.push(request);
    const answer = answers.shift();
    if (answer === undefined || answer instanceof ClusterError) throw answer ?? LOST;
    return answer;
  };
  const isLeading = (): boolean => answers.length > 0;
  const parts = { kv: { txn } as unknown as EtcdKv, keys: KEYS, clock, raftId: 1, isLeading };
  const committing = commitRecord(parts, batch);
  let outcome: Outcome | undefined;
  void committing.then((value) => {
    outcome = value;
  });
  while (outcome === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
  }
  return { outcome, txns };
}

const CASES: { name: string; answers: Answer[]; outcome: Outcome["kind"] }[] = [
  { name: "written at once", answers: [held(51)], outcome: "committed" },
  {
    name: "an answer lost, written by the second try",
    answers: [LOST, held(51)],
    outcome: "committed",
  },
  {
    name: "an answer lost, written by the first try",
    answers: [LOST, refused({ sequence: 3, candidate: TERM })],
    outcome: "committed",
  },
  {
    name: "written by the first try, leadership lost since",
    answers: [LOST, refused({ sequence: 3 })],
    outcome: "committed",
  },
  {
    name: "an earlier batch of ours took effect late",
    answers: [refused({ sequence: 2, candidate: TERM })],
    outcome: "moved",
  },
  { name: "another leads", answers: [refused({ candidate: 55 })], outcome: "lost" },
  { name: "nobody answers until the lease ends", answers: [LOST], outcome: "unknown" },
  {
    name: "refused at once",
    answers: [new ClusterError("ResourceExhausted", "full")],
    outcome: "refused",
  },
  {
    name: "refused after an answer was lost",
    answers: [LOST, new ClusterError("ResourceExhausted", "full")],
    outcome: "unknown",
  },
];

describe("etcd: commit of a record", () => {
  for (const { name, answers, outcome } of CASES) {
    it(`${name}: ${outcome}`, async () => {
      expect((await commit([...answers])).outcome.kind).to.equal(outcome);
    });
  }

  it("holds only for our candidacy and the head we know, and moves the head with the record", async () => {
    const { txns } = await commit([held(51)]);
    expect(txns[0]?.when).to.deep.equal([
      { key: KEYS.candidate(1), createRevision: TERM },
      { key: KEYS.head, modRevision: HEAD.modRevision },
    ]);
    expect(txns[0]?.act.map((one) => ("put" in one ? one.put : ""))).to.deep.equal([
      KEYS.record(7),
      KEYS.head,
    ]);
  });

  it("writes the parts of a large entry first, each once", async () => {
    const large = { ...BATCH, entries: [new Uint8Array(VALUE_BYTES_MAX + 1)] };
    const { outcome, txns } = await commit([held(1), LOST, held(2), LOST, held(3)], large);
    expect(outcome.kind).to.equal("committed");
    const written = txns.map(({ act: [one] }) =>
      one !== undefined && "put" in one ? one.put : "",
    );
    const [first, second, record] = [KEYS.entryPart(7, 0), KEYS.entryPart(7, 1), KEYS.record(7)];
    expect(written).to.deep.equal([first, second, second, record, record]);
  });
});

describe("etcd: record", () => {
  it("takes what fits into a value, and one entry of any size", () => {
    const quarter = new Uint8Array(VALUE_BYTES_MAX / 4);
    expect(countFitting([])).to.equal(0);
    expect(countFitting(Array.from({ length: 9 }, () => quarter))).to.equal(3);
    expect(countFitting([new Uint8Array(3 * VALUE_BYTES_MAX), quarter])).to.equal(1);
    const small = Array.from({ length: 3 * RECORD_ENTRIES_MAX }, () => new Uint8Array(1));
    expect(countFitting(small)).to.equal(RECORD_ENTRIES_MAX);
  });

  it("is never larger than etcd takes", () => {
    const entries = [new Uint8Array(VALUE_BYTES_MAX / 2), new Uint8Array(VALUE_BYTES_MAX / 2 - 16)];
    const whole = encodeRecord(entries, { term: 2 ** 40, sequence: 2 ** 40 });
    expect(countFitting(entries)).to.equal(2);
    expect(whole.value.length).to.be.lessThan(1.5 * 1024 * 1024);
    const split = encodeRecord([new Uint8Array(4 * 1024 * 1024)], { term: 1, sequence: 1 });
    expect(split.parts.map((part) => part.length)).to.deep.equal(Array(4).fill(VALUE_BYTES_MAX));
    expect(split.value.length).to.be.lessThan(100);
  });
});
