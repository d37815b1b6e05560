import { expect } from "chai";
import {
  type LoneManager,
  openLoneManager,
  proposeUpTo,
  turnsUntil,
} from "../../test/support/raft/lone-manager.ts";
import { MemoryDisk } from "./disk/memory-disk.ts";

const ENTRIES = 30;
/** Of a byte within the first part of each snapshot. */
const BIT = 8 * 200;

async function writtenDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const manager = await openLoneManager(disk, undefined);
  await turnsUntil("it leads", () => manager.log.leadership().isLeader);
  await proposeUpTo(manager, { from: 1, to: ENTRIES });
  await manager.log.close();
  return disk;
}

const snapshots = async (disk: MemoryDisk): Promise<string[]> =>
  (await disk.list()).filter((name) => name.endsWith(".snap"));

async function expectWhole(manager: LoneManager): Promise<void> {
  await turnsUntil("all is applied", () => manager.state.entries.length === ENTRIES);
}

describe("raft log: damaged snapshots", () => {
  it("goes on from the one before, and then removes the damaged one", async () => {
    const disk = await writtenDisk();
    const [older, newer = ""] = await snapshots(disk);
    disk.flipBit(newer, BIT);
    await expectWhole(await openLoneManager(disk, undefined));
    expect(await snapshots(disk))
      .to.include(older)
      .and.not.include(newer);
  });

  it("refuses to start when none is whole, names each with file and byte, and removes nothing", async () => {
    const disk = await writtenDisk();
    const names = await snapshots(disk);
    expect(names).to.have.lengthOf(2);
    for (const name of names) disk.flipBit(name, BIT);
    const error = await openLoneManager(disk, undefined).catch((reason: unknown) => reason);
    for (const name of names)
      expect(String(error)).to.match(new RegExp(`${name} is damaged at byte \\d+`));
    expect(await snapshots(disk)).to.deep.equal(names);
    for (const name of names) disk.flipBit(name, BIT);
    await expectWhole(await openLoneManager(disk, undefined));
  });
});
