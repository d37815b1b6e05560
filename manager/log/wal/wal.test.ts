import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { seededRandom } from "../../../core/random.ts";
import { MemoryDisk, type MemoryDiskOptions } from "../disk/memory-disk.ts";
import { newDataKey, singleKey } from "../seal/data-key.ts";
import { KeyRing, newKeySet } from "../seal/key-ring.ts";
import type { WalBatch } from "./batch.ts";
import { openWal, type Wal } from "./wal.ts";

const KEYS = singleKey(newDataKey());
const OPTIONS = { raftId: 1, random: seededRandom(1), segmentBytes: 2048, keys: KEYS };

function batchOf(index: number, bytes = 100): WalBatch {
  const data = Buffer.alloc(bytes, index);
  return {
    hardState: undefined,
    restart: undefined,
    entries: [{ index, term: 1, kind: "normal", data }],
  };
}

async function indexesOn(disk: MemoryDisk): Promise<number[]> {
  const { batches } = await openWal(disk, OPTIONS);
  return batches.flatMap((batch) => batch.entries.map((entry) => entry.index));
}

async function appendAll(wal: Wal, from: number, to: number): Promise<void> {
  for (let index = from; index <= to; index++) await wal.append(batchOf(index));
}

describe("wal", () => {
  it("starts empty and gives back what was appended, over many segments and reopenings", async () => {
    const disk = new MemoryDisk();
    const first = await openWal(disk, OPTIONS);
    expect(first.batches).to.deep.equal([]);
    await appendAll(first.wal, 1, 50);
    await first.wal.close();
    const second = await openWal(disk, OPTIONS);
    await appendAll(second.wal, 51, 60);
    expect(await indexesOn(disk)).to.deep.equal(Array.from({ length: 60 }, (_, i) => i + 1));
    expect((await disk.list()).filter((name) => name.endsWith(".wal")).length).to.be.greaterThan(3);
  });

  it("takes a record larger than a segment", async () => {
    const disk = new MemoryDisk();
    const { wal } = await openWal(disk, OPTIONS);
    await wal.append(batchOf(1));
    await wal.append(batchOf(2, 10_000));
    await wal.append(batchOf(3));
    expect(await indexesOn(disk)).to.deep.equal([1, 2, 3]);
  });

  it("keeps every acknowledged batch over a crash at any moment, and at most one more", async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { disk, acknowledged } = await writeUntilPowerCut(seed);
      const found = await indexesOn(disk);
      expect(found, `seed ${seed}`).to.deep.equal(found.map((_, i) => i + 1));
      expect(found.length, `seed ${seed}`).to.be.within(acknowledged, acknowledged + 1);
      expect(await indexesOn(disk), `seed ${seed}: again`).to.deep.equal(found);
    }
  });

  it("purges whole segments below an index and says the hard state again in each new one", async () => {
    const disk = new MemoryDisk();
    const { wal } = await openWal(disk, OPTIONS);
    const hardState = { term: 4, vote: 2, commit: 0 };
    await wal.append({ ...batchOf(1), hardState });
    await appendAll(wal, 2, 60);
    await wal.purge(40);
    const { batches } = await openWal(disk, OPTIONS);
    const indexes = batches.flatMap((batch) => batch.entries.map((entry) => entry.index));
    expect(indexes[0]).to.be.within(2, 41);
    expect(indexes.at(-1)).to.equal(60);
    expect(batches[0]?.hardState).to.deep.equal(hardState);
  });

  it("purges twice at once without losing what is needed", async () => {
    const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const disk = new MemoryDisk({ delay });
    const { wal } = await openWal(disk, OPTIONS);
    await appendAll(wal, 1, 60);
    await Promise.all([wal.purge(59), wal.purge(59), appendAll(wal, 61, 62)]);
    const indexes = await indexesOn(disk);
    expect(indexes).to.include.members([60, 61, 62]);
    expect(indexes[0]).to.be.greaterThan(30);
  });

  it("refuses a directory of another member", async () => {
    const disk = new MemoryDisk();
    await openWal(disk, OPTIONS);
    const error = await rejection(openWal(disk, { ...OPTIONS, raftId: 2 }));
    expect(error.message).to.contain("is the log of raft member 1, not of 2");
  });

  it("refuses to start when a middle segment is gone", async () => {
    const disk = new MemoryDisk();
    const { wal } = await openWal(disk, OPTIONS);
    await appendAll(wal, 1, 60);
    await disk.remove("0000000002.wal");
    const error = await rejection(openWal(disk, OPTIONS));
    expect(error.code).to.equal("DataLoss");
    expect(error.message).to.contain("0000000003.wal");
  });

  it("after a failed sync fails for ever, even when the disk works again", async () => {
    let broken = false;
    const fault: MemoryDiskOptions["fault"] = (call) =>
      broken && call === "sync"
        ? Object.assign(new Error("EIO: i/o error"), { code: "EIO" })
        : undefined;
    const { wal } = await openWal(new MemoryDisk({ fault }), OPTIONS);
    await wal.append(batchOf(1));
    broken = true;
    const error = await rejection(wal.append(batchOf(2)));
    expect(error.code).to.equal("DataLoss");
    broken = false;
    expect(await rejection(wal.append(batchOf(2)))).to.equal(error);
  });

  it("goes on in a new segment when the key changes, also after a restart", async () => {
    for (const restart of [false, true]) {
      const ring = new KeyRing(newKeySet(false), () => undefined);
      const disk = new MemoryDisk();
      let { wal } = await openWal(disk, { ...OPTIONS, keys: ring });
      await appendAll(wal, 1, 2);
      ring.rotate();
      if (restart) ({ wal } = await openWal(disk, { ...OPTIONS, keys: ring }));
      expect(wal.outdated).to.deep.equal({ maxIndex: 2, isWrittenTo: true });
      await appendAll(wal, 3, 3);
      expect(wal.outdated).to.deep.equal({ maxIndex: 2, isWrittenTo: false });
      await wal.purge(2);
      expect(wal.outdated).to.equal(undefined);
      const only = { ...OPTIONS, keys: singleKey(ring.current) };
      const { batches } = await openWal(disk, only);
      expect(batches.flatMap(({ entries }) => entries.map(({ index }) => index))).to.include(3);
    }
  });

  it("goes on under a key where an older version wrote in clear", async () => {
    const disk = new MemoryDisk();
    const { wal } = await openWal(disk, { ...OPTIONS, keys: undefined });
    await appendAll(wal, 1, 5);
    const keys = new KeyRing(newKeySet(true), () => undefined);
    const later = await openWal(disk, { ...OPTIONS, keys });
    await appendAll(later.wal, 6, 7);
    const { batches } = await openWal(disk, { ...OPTIONS, keys });
    expect(batches.flatMap(({ entries }) => entries.map(({ index }) => index))).to.deep.equal([
      1, 2, 3, 4, 5, 6, 7,
    ]);
  });

  it("writes its last record again at a start: a failed sync may have left it in memory only", async () => {
    let isFailing = false;
    const fault: MemoryDiskOptions["fault"] = (call) =>
      isFailing && call === "sync" ? Object.assign(new Error("EIO"), { code: "EIO" }) : undefined;
    const disk = new MemoryDisk({ fault });
    const { wal } = await openWal(disk, OPTIONS);
    await wal.append(batchOf(1));
    isFailing = true;
    await rejection(wal.append(batchOf(2)));
    isFailing = false;
    const found = await indexesOn(disk);
    expect(found).to.deep.equal([1, 2]);
    // Every sector that is not durable is lost: what was read must not be.
    const never = { next: () => 0 };
    expect(await indexesOn(disk.crash(never, {}))).to.deep.equal(found);
  });

  it("names the full directory", async () => {
    const full = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    let isFull = false;
    const fault = (): Error | undefined => (isFull ? full : undefined);
    const { wal } = await openWal(new MemoryDisk({ dir: "/var/lib/m", fault }), OPTIONS);
    isFull = true;
    const error = await rejection(wal.append(batchOf(1)));
    expect(error.code).to.equal("ResourceExhausted");
    expect(error.message).to.contain("no space left in /var/lib/m");
  });
});

/** Appends until the power goes during one of the disk's calls. */
async function writeUntilPowerCut(
  seed: number,
): Promise<{ readonly disk: MemoryDisk; readonly acknowledged: number }> {
  const random = seededRandom(seed);
  let callsLeft = Math.floor(random.next() * 60);
  let acknowledged = 0;
  return new Promise((resolve, reject) => {
    const cut = (): void => resolve({ disk: disk.crash(random, {}), acknowledged });
    const delay = async (): Promise<void> => {
      if (callsLeft-- === 0) cut();
    };
    const disk = new MemoryDisk({ delay });
    const write = async (): Promise<void> => {
      const { wal } = await openWal(disk, { ...OPTIONS, random });
      for (let index = 1; index <= 30; index++) {
        await wal.append(batchOf(index, Math.floor(random.next() * 900)));
        acknowledged = index;
      }
    };
    write().then(cut, reject);
  });
}

async function rejection(promise: Promise<unknown>): Promise<ClusterError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ClusterError) return error;
  throw new Error(`expected a ClusterError, got ${String(error)}`);
}
