import { expect } from "chai";
import { seededRandom } from "../../core/random.ts";
import type { Entry, Ready } from "../../raft-ts/types.ts";
import { MemoryDisk } from "./disk/memory-disk.ts";
import { LogWriter, mergeReadys } from "./log-writer.ts";
import { openWal } from "./wal/wal.ts";

function entry(index: number, term = 1): Entry {
  return { index, term, kind: "normal", data: Buffer.from([index]) };
}

function ready(id: number, part: Partial<Ready> = {}): Ready {
  return {
    id,
    hardState: undefined,
    entries: [],
    snapshot: undefined,
    mustSync: true,
    messages: [],
    committed: [],
    reads: [],
    lostReads: [],
    ...part,
  };
}

function hardState(commit: number): Ready["hardState"] {
  return { term: 1, vote: 1, commit };
}

describe("log writer: merging", () => {
  it("takes all entries and the last hard state", () => {
    const merged = mergeReadys([
      ready(1, { entries: [entry(1), entry(2)], hardState: hardState(0) }),
      ready(2, { entries: [entry(2, 2)], hardState: hardState(1) }),
      ready(3),
    ]);
    expect(merged.entries).to.deep.equal([entry(1), entry(2), entry(2, 2)]);
    expect(merged.hardState).to.deep.equal(hardState(1));
    expect(merged.restart).to.equal(undefined);
  });

  it("drops the entries before a snapshot", () => {
    const confState = { voters: [1], votersOutgoing: [], learners: [] };
    const merged = mergeReadys([
      ready(1, { entries: [entry(1)] }),
      ready(2, { snapshot: { index: 9, term: 3, confState } }),
      ready(3, { entries: [entry(10, 3)] }),
    ]);
    expect(merged.restart).to.deep.equal({ index: 9, term: 3 });
    expect(merged.entries).to.deep.equal([entry(10, 3)]);
  });
});

describe("log writer: group commit", () => {
  interface Writing {
    readonly writer: LogWriter;
    readonly disk: MemoryDisk;
    readonly stable: number[];
    readonly syncs: () => number;
  }

  async function makeWriter(): Promise<Writing> {
    let syncs = 0;
    const disk = new MemoryDisk({
      fault: (call) => {
        if (call === "sync") syncs++;
        return undefined;
      },
    });
    const { wal } = await openWal(disk, { raftId: 1, random: seededRandom(1), segmentBytes: 4096 });
    const stable: number[] = [];
    const writer = new LogWriter(wal, {
      onStable: (readyId) => stable.push(readyId),
      onFailure: (error) => {
        throw error;
      },
    });
    syncs = 0;
    return { writer, disk, stable, syncs: () => syncs };
  }

  async function indexesOn(disk: MemoryDisk): Promise<number[]> {
    const { batches } = await openWal(disk, { raftId: 1, random: seededRandom(1) });
    return batches.flatMap(({ entries }) => entries.map(({ index }) => index));
  }

  it("writes what queued during one sync with the next one", async () => {
    const { writer, stable, syncs, disk } = await makeWriter();
    for (let id = 1; id <= 10; id++) writer.add(ready(id, { entries: [entry(id)] }));
    await writer.finish();
    expect(stable).to.deep.equal([1, 10]);
    expect(syncs()).to.equal(2);
    expect(await indexesOn(disk)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("does not sync for a commit index, but writes it with what comes next, or at the end", async () => {
    const { writer, stable, disk } = await makeWriter();
    writer.add(ready(1, { mustSync: false, hardState: hardState(5) }));
    await Promise.resolve();
    expect(stable).to.deep.equal([]);
    writer.add(ready(2, { entries: [entry(1)] }));
    await writer.finish();
    writer.add(ready(3, { mustSync: false, hardState: hardState(6) }));
    await writer.finish();
    const { batches } = await openWal(disk, { raftId: 1, random: seededRandom(1) });
    expect(batches.map((batch) => batch.hardState?.commit)).to.deep.equal([5, 6]);
  });
});
