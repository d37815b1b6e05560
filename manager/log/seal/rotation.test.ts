import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { seededRandom } from "../../../core/random.ts";
import {
  entryText,
  type LoneManager,
  openLoneManager,
  proposeUpTo,
  turnsUntil,
} from "../../../test/support/raft/lone-manager.ts";
import { MemoryDisk, type MemoryDiskOptions } from "../disk/memory-disk.ts";
import { readStoredLog } from "../stored-log.ts";
import { singleKey } from "./data-key.ts";
import { KeyRing, type KeySet, newKeySet } from "./key-ring.ts";

/** Acknowledged before a rotation begins; some are in no snapshot. */
const ENTRIES = 30;
const CALLS_MAX = 500;

/** A key file that is always durable, as it is on the node's disk. */
function keyFile(set: KeySet) {
  const file = { set, ring: () => new KeyRing(file.set, save) };
  const save = (next: KeySet) => {
    file.set = next;
  };
  return file;
}

type KeyFile = ReturnType<typeof keyFile>;

/** A disk with a log of ENTRIES entries. */
async function writtenDisk(keys: KeyRing | undefined): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const manager = await openLoneManager(disk, keys);
  await turnsUntil("it leads", () => manager.log.leadership().isLeader);
  await proposeUpTo(manager, { from: 1, to: ENTRIES });
  await manager.log.close();
  return disk;
}

/** Opens it and lets the rotation end. */
async function untilRotated(disk: MemoryDisk, ring: KeyRing): Promise<LoneManager> {
  const manager = await openLoneManager(disk, ring);
  await turnsUntil("the rotation ends", () => !ring.isRotating || manager.fatal.length > 0);
  expect(manager.fatal).to.deep.equal([]);
  return manager;
}

async function expectWhole(manager: LoneManager, what: string): Promise<void> {
  await turnsUntil(`${what}: all is applied`, () => manager.state.entries.length >= ENTRIES);
  const expected = Array.from({ length: ENTRIES }, (_, i) => entryText(i + 1));
  expect(manager.state.entries.slice(0, ENTRIES), what).to.deep.equal(expected);
}

/** Reads with the current key alone: whatever is under another one, or in clear, would be refused. */
async function expectUnderCurrentKeyOnly(disk: MemoryDisk, { set }: KeyFile): Promise<void> {
  expect([set.older.length, set.readsClear]).to.deep.equal([0, false]);
  const { snapshot, stored } = await readStoredLog(disk, singleKey(set.current));
  const entries = stored.entries.filter(({ kind, data }) => kind === "normal" && data.length > 0);
  expect((snapshot?.parts.length ?? 0) + entries.length).to.be.at.least(ENTRIES);
}

/** A disk as `from` whose power goes at one of its calls; undefined when there are fewer. */
async function crashAt(
  from: MemoryDisk,
  call: number,
  work: (disk: MemoryDisk) => Promise<unknown>,
): Promise<MemoryDisk | undefined> {
  const random = seededRandom(call);
  let left = call;
  return new Promise((resolve, reject) => {
    const delay = async (): Promise<void> => {
      if (left-- === 0) resolve(disk.crash(random, {}));
    };
    const disk = from.crash(random, { delay });
    work(disk).then(() => resolve(undefined), reject);
  });
}

describe("data key rotation", function () {
  this.timeout(60_000);
  for (const { name, first } of [
    { name: "from an older key", first: (): KeySet => newKeySet(false) },
    { name: "from a log in clear", first: (): KeySet | undefined => undefined },
  ]) {
    /** The key file at the moment from which the rotation must come to its end, whatever happens. */
    const begun = async (): Promise<{ disk: MemoryDisk; file: KeyFile }> => {
      const set = first();
      if (set === undefined) {
        return { disk: await writtenDisk(undefined), file: keyFile(newKeySet(true)) };
      }
      const file = keyFile(set);
      const disk = await writtenDisk(file.ring());
      file.ring().rotate();
      return { disk, file };
    };

    it(`${name}: ends at a start, without a new entry, with nothing else left on disk`, async () => {
      const { disk, file } = await begun();
      const manager = await untilRotated(disk, file.ring());
      await expectWhole(manager, "rotated");
      await expectUnderCurrentKeyOnly(disk, file);
    });

    it(`${name}: survives a power cut at each call of the disk`, async () => {
      const { disk, file } = await begun();
      for (let call = 0; ; call++) {
        expect(call).to.be.lessThan(CALLS_MAX);
        const own = keyFile(file.set);
        const after = await crashAt(disk, call, (cut) => untilRotated(cut, own.ring()));
        if (after === undefined) {
          expect(call).to.be.greaterThan(20);
          return;
        }
        const manager = await untilRotated(after, own.ring());
        await expectWhole(manager, `power cut at call ${call}`);
        await expectUnderCurrentKeyOnly(after, own);
      }
    });
  }

  it("ends while the manager runs and takes entries", async () => {
    const file = keyFile(newKeySet(false));
    const disk = await writtenDisk(file.ring());
    const before = file.set.current.id;
    const ring = file.ring();
    const manager = await openLoneManager(disk, ring);
    await turnsUntil("it leads", () => manager.log.leadership().isLeader);
    ring.rotate();
    const more = proposeUpTo(manager, { from: ENTRIES + 1, to: 2 * ENTRIES });
    await turnsUntil("the rotation ends", () => !ring.isRotating);
    await more;
    expect(file.set.current.id).to.not.equal(before);
    await expectUnderCurrentKeyOnly(disk, file);
  });

  it("ends although the key changes again on the way", async () => {
    const file = keyFile(newKeySet(false));
    const disk = await writtenDisk(file.ring());
    const ring = file.ring();
    const manager = await openLoneManager(disk, ring);
    for (let i = 0; i < 5; i++) {
      ring.rotate();
      for (let turn = 0; turn < 3 * i; turn++) await new Promise((next) => setImmediate(next));
    }
    await turnsUntil("the rotation ends", () => !ring.isRotating);
    await expectWhole(manager, "rotated");
    await expectUnderCurrentKeyOnly(disk, file);
  });

  it("stops the manager when the key file cannot be written, and keeps what the files need", async () => {
    const file = keyFile(newKeySet(false));
    const disk = await writtenDisk(file.ring());
    file.ring().rotate();
    const full = new KeyRing(file.set, () => {
      throw new Error("ENOSPC");
    });
    const manager = await openLoneManager(disk, full);
    await turnsUntil("it stops", () => manager.fatal.length > 0);
    expect(String(manager.fatal)).to.contain("ENOSPC");
    await expectWhole(await untilRotated(disk, file.ring()), "with a key file that works");
  });
});

describe("data key rotation: disk failures", function () {
  // A log for each call of the disk: on a busy machine that takes its time.
  this.timeout(60_000);
  for (const { code, expected } of [
    { code: "ENOSPC", expected: "ResourceExhausted" },
    { code: "EIO", expected: "DataLoss" },
  ]) {
    it(`stops the manager at once for ${code} of any call, and loses nothing it acknowledged`, async () => {
      for (let call = 0; call < CALLS_MAX; call++) {
        const outcome = await failAt(call, code);
        if (outcome === undefined) {
          expect(call).to.be.greaterThan(100);
          return;
        }
        const what = `${code} at call ${call}, ${outcome.failed}`;
        expect(outcome.code, what).to.equal(expected);
        // The log's own file may be sound and a batch under way in the same turn: no later one is acknowledged.
        expect(outcome.acknowledged - outcome.acknowledgedBefore, what).to.be.at.most(2);
        const manager = await openLoneManager(outcome.disk, outcome.ring);
        await turnsUntil(what, () => manager.state.entries.length >= outcome.acknowledged);
        const { entries } = manager.state;
        expect(entries, what).to.deep.equal(entries.map((_, i) => entryText(i + 1)));
      }
      throw new Error("there is no end to its calls");
    });
  }
});

const WRITES = ["write", "sync", "create", "rename", "remove", "syncDir"];

/** One writing call of the disk fails; undefined when there are fewer. */
async function failAt(call: number, code: string) {
  let left = call;
  let failed: string | undefined;
  let acknowledged = 0;
  let acknowledgedBefore = 0;
  const fault: MemoryDiskOptions["fault"] = (kind, name) => {
    if (!WRITES.includes(kind) || left-- !== 0) return undefined;
    acknowledgedBefore = acknowledged;
    failed = `${kind} ${name}`;
    return Object.assign(new Error(`${code}: ${failed}`), { code });
  };
  const disk = new MemoryDisk({ fault });
  const ring = keyFile(newKeySet(false)).ring();
  let fatal: unknown;
  try {
    const manager = await openLoneManager(disk, ring);
    await turnsUntil("it leads or ends", () => hasEnded(manager) || leads(manager));
    const work = async (): Promise<void> => {
      for (const from of [1, 16]) {
        await proposeUpTo(manager, { from, to: from + 14 }, (count) => {
          acknowledged = count;
        });
        ring.rotate();
        await turnsUntil("it rotates or ends", () => hasEnded(manager) || !ring.isRotating);
      }
    };
    await work().catch((error: unknown) => {
      if (!hasEnded(manager)) throw error;
    });
    expect(manager.fatal.length, String(failed)).to.be.lessThan(2);
    fatal = manager.fatal[0];
    await manager.log.close();
  } catch (error) {
    fatal ??= error;
  }
  if (failed === undefined) return undefined;
  const random = seededRandom(call);
  return {
    failed,
    acknowledgedBefore,
    code: fatal instanceof ClusterError ? fatal.code : String(fatal),
    acknowledged,
    disk: disk.crash(random, {}),
    ring,
  };
}

const hasEnded = (manager: LoneManager): boolean => manager.fatal.length > 0;
const leads = (manager: LoneManager): boolean => manager.log.leadership().isLeader;
