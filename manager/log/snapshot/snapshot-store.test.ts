import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { seededRandom } from "../../../core/random.ts";
import { failureOf } from "../../../test/support/failure-of.ts";
import { MemoryDisk } from "../disk/memory-disk.ts";
import { type DataKeys, newDataKey, singleKey } from "../seal/data-key.ts";
import { KeyRing, newKeySet } from "../seal/key-ring.ts";
import type { SnapshotHeader } from "./snapshot-frame.ts";
import { SnapshotStore } from "./snapshot-store.ts";

function headerOf(index: number): SnapshotHeader {
  return {
    meta: { index, term: 2, confState: { voters: [1, 2], votersOutgoing: [], learners: [3] } },
    members: {
      members: [{ raftId: 1, nodeId: "one", addr: "10.0.0.1:4242", learner: false }],
      removed: [9],
    },
  };
}

const PARTS = [Buffer.from("first"), Buffer.alloc(0), Buffer.alloc(2000, 5)];

async function write(disk: MemoryDisk, index: number, keys?: DataKeys): Promise<void> {
  const writer = await (await SnapshotStore.open(disk, keys)).begin(headerOf(index));
  for (const part of PARTS) await writer.add(part);
  await writer.commit();
}

async function loadNewest(
  disk: MemoryDisk,
  keys?: DataKeys,
): Promise<{ index: number; bytes: number }> {
  const store = await SnapshotStore.open(disk, keys);
  const { header, parts } = await store.load(store.names.at(-1) ?? "none");
  return { index: header.meta.index, bytes: parts.reduce((sum, part) => sum + part.length, 0) };
}

for (const keys of [undefined, singleKey(newDataKey())]) {
  describe(`snapshot store, ${keys === undefined ? "in clear" : "sealed"}`, () => {
    it("gives back header, members and parts", async () => {
      const disk = new MemoryDisk();
      await write(disk, 7, keys);
      const store = await SnapshotStore.open(disk, keys);
      const { header, parts } = await store.load(store.names[0] ?? "none");
      expect(header).to.deep.equal(headerOf(7));
      expect(parts.map((part) => Buffer.from(part))).to.deep.equal(PARTS);
    });

    it("keeps the newest two and says from where the log is needed", async () => {
      const disk = new MemoryDisk();
      for (const index of [5, 10, 100]) await write(disk, index, keys);
      const store = await SnapshotStore.open(disk, keys);
      expect(store.names).to.have.length(2);
      expect(store.oldestIndex).to.equal(10);
      expect((await store.openNewest())?.header.meta.index).to.equal(100);
    });

    it("leaves nothing of one that was abandoned or cut off", async () => {
      const disk = new MemoryDisk();
      const store = await SnapshotStore.open(disk, keys);
      const writer = await store.begin(headerOf(3));
      await writer.add(Buffer.from("x"));
      await store.begin(headerOf(4));
      await writer.abandon();
      expect((await SnapshotStore.open(disk, keys)).names).to.deep.equal([]);
      expect(await disk.list()).to.deep.equal([]);
    });

    it("after a power cut at any moment has the old snapshot or the new one, whole", async () => {
      for (let seed = 1; seed <= 100; seed++) {
        const random = seededRandom(seed);
        const before = new MemoryDisk();
        await write(before, 5, keys);
        const { disk, done } = await writeUntilPowerCut(before.crash(random, {}), { seed, keys });
        const { index, bytes } = await loadNewest(disk, keys);
        expect(bytes, `seed ${seed}`).to.equal(2005);
        expect(index, `seed ${seed}`).to.be.oneOf(done ? [10] : [5, 10]);
      }
    });

    it("refuses any flipped bit, naming the file", async () => {
      const disk = new MemoryDisk();
      await write(disk, 7, keys);
      const [name = ""] = (await SnapshotStore.open(disk, keys)).names;
      const bits = (await disk.read(name)).length * 8;
      for (let bit = 0; bit < bits; bit += 7) {
        disk.flipBit(name, bit);
        const store = await SnapshotStore.open(disk, keys);
        const error: unknown = await store.load(name).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error, `bit ${bit}`).to.be.instanceOf(ClusterError);
        expect((error as ClusterError).details.file).to.equal(`/memory/${name}`);
        disk.flipBit(name, bit);
      }
    });
  });
}

describe("snapshot store: its keys", () => {
  const newRing = () => new KeyRing(newKeySet(false), () => undefined);

  it("shows nothing of the parts", async () => {
    const disk = new MemoryDisk();
    await write(disk, 7, newRing());
    const [name = ""] = await disk.list();
    expect(Buffer.from(await disk.read(name)).includes("first")).to.equal(false);
  });

  it("knows, also after a restart, what is under an older key, and lets it go for a newer one", async () => {
    const disk = new MemoryDisk();
    const ring = newRing();
    await write(disk, 5, ring);
    ring.rotate();
    await write(disk, 9, ring);
    const store = await SnapshotStore.open(disk, ring);
    expect([store.outdatedIndex, store.currentIndex]).to.deep.equal([5, 9]);
    await store.discardOutdated();
    expect(store.hasOutdated).to.equal(false);
    expect(await loadNewest(disk, ring)).to.deep.equal({ index: 9, bytes: 2005 });
  });

  it("keeps the only one although it is under an older key", async () => {
    const disk = new MemoryDisk();
    const ring = newRing();
    await write(disk, 5, ring);
    ring.rotate();
    const store = await SnapshotStore.open(disk, ring);
    await store.discardOutdated();
    expect((await loadNewest(disk, ring)).index).to.equal(5);
  });

  it("counts one that is being written under the older key", async () => {
    const ring = newRing();
    const store = await SnapshotStore.open(new MemoryDisk(), ring);
    const writer = await store.begin(headerOf(3));
    ring.rotate();
    expect(store.hasOutdated).to.equal(true);
    await writer.abandon();
    expect(store.hasOutdated).to.equal(false);
  });

  it("refuses one under another one's name", async () => {
    const disk = new MemoryDisk();
    const ring = newRing();
    await write(disk, 5, ring);
    const [name = ""] = await disk.list();
    await disk.rename(name, name.replace("5-", "6-"));
    expect((await failureOf(loadNewest(disk, ring))).code).to.equal("DataLoss");
  });

  it("does not take a missing key for damage", async () => {
    const disk = new MemoryDisk();
    await write(disk, 5, newRing());
    const store = await SnapshotStore.open(disk, newRing());
    const error = await failureOf(store.loadNewest(async () => undefined));
    expect(error.code).to.equal("FailedPrecondition");
  });
});

async function writeUntilPowerCut(
  from: MemoryDisk,
  { seed, keys }: { readonly seed: number; readonly keys: DataKeys | undefined },
): Promise<{ readonly disk: MemoryDisk; readonly done: boolean }> {
  const random = seededRandom(seed);
  let callsLeft = Math.floor(random.next() * 17);
  return new Promise((resolve, reject) => {
    const cut = (done: boolean): void => resolve({ disk: disk.crash(random, {}), done });
    const delay = async (): Promise<void> => {
      if (callsLeft-- === 0) cut(false);
    };
    const disk = from.crash(random, { delay });
    write(disk, 10, keys).then(() => cut(true), reject);
  });
}
