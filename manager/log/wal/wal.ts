import { assert, InvariantError } from "../../../core/assert.ts";
import { ClusterError } from "../../../core/errors.ts";
import { type Random, randomInt } from "../../../core/random.ts";
import type { HardState } from "../../../raft-ts/types.ts";
import { diskFailed, type LogDisk, type LogFile, writeZeros } from "../disk/log-disk.ts";
import { encodeBatch, type WalBatch } from "./batch.ts";
import { encodeRecord, recordBytes } from "./record.ts";
import {
  encodeSegmentHeader,
  readSegment,
  SEGMENT_HEADER_BYTES,
  type SegmentContents,
  type SegmentHeader,
  segmentName,
  segmentNumber,
  walDamaged,
} from "./segment.ts";

/** Bytes of a segment: written as zeros ahead, so that a sync moves no block and no size. A larger record gets a larger one. */
export const SEGMENT_BYTES = 8 * 1024 * 1024;

const SPARE_NAME = "spare.tmp";

export interface WalOptions {
  readonly raftId: number;
  /** For the salts. */
  readonly random: Random;
  readonly segmentBytes?: number | undefined;
}

export interface OpenedWal {
  readonly wal: Wal;
  /** Whether the directory held no log before. */
  readonly isNew: boolean;
  /** Everything still on disk, oldest first. */
  readonly batches: readonly WalBatch[];
  /** Why the last record was cut off; undefined when it was whole. */
  readonly torn: string | undefined;
}

/** A segment on disk: whether it is still needed is a question of `maxIndex`. */
interface Segment {
  readonly number: number;
  maxIndex: number;
}

/**
 * Opens the write-ahead log of `disk`, or begins one, and cuts off a torn last record.
 *
 * @throws {ClusterError} `DataLoss` when acknowledged records are damaged, `FailedPrecondition` when the log is another
 * member's.
 */
export async function openWal(disk: LogDisk, options: WalOptions): Promise<OpenedWal> {
  await disk.remove(SPARE_NAME);
  const numbers = (await disk.list())
    .map(segmentNumber)
    .filter((number): number is number => number !== undefined);
  const contents: SegmentContents[] = [];
  for (const number of numbers) {
    const name = segmentName(number);
    const isLast = number === numbers.at(-1);
    const read = readSegment(`${disk.dir}/${name}`, await disk.read(name), { isLast });
    checkSegment(disk, read, { number, raftId: options.raftId, before: contents.at(-1) });
    contents.push(read);
  }
  const wal = new Wal(disk, options);
  const last = contents.at(-1);
  if (last === undefined) await wal.begin();
  else await wal.resume(contents, last);
  const batches = contents.flatMap((segment) => segment.batches);
  return { wal, isNew: last === undefined, batches, torn: last?.torn };
}

function checkSegment(
  disk: LogDisk,
  read: SegmentContents,
  expected: {
    readonly number: number;
    readonly raftId: number;
    readonly before: SegmentContents | undefined;
  },
): void {
  const file = `${disk.dir}/${segmentName(expected.number)}`;
  const { number, raftId, firstSequence } = read.header;
  if (raftId !== expected.raftId) {
    throw new ClusterError(
      "FailedPrecondition",
      `cannot start: ${disk.dir} is the log of raft member ${raftId}, not of ${expected.raftId}`,
    );
  }
  if (number !== expected.number)
    throw walDamaged(file, 0, `it is segment ${number} by its header`);
  const { before } = expected;
  if (before === undefined) return;
  if (number !== before.header.number + 1 || firstSequence !== before.nextSequence) {
    throw walDamaged(file, 0, `it does not follow segment ${before.header.number}`);
  }
}

/**
 * The write-ahead log, open for appending. Calls of `append` do not overlap: who queues while one runs goes into the
 * next batch (group commit). Once a disk call failed, every later call fails the same way.
 */
export class Wal {
  readonly #disk: LogDisk;
  readonly #options: WalOptions;
  readonly #segmentBytes: number;
  /** Oldest first; the last one is written to. */
  #segments: Segment[] = [];
  #file: LogFile | undefined;
  #fileBytes = 0;
  #offset = 0;
  #salt = 0;
  #sequence = 1;
  #hardState: HardState | undefined;
  #spare: Promise<LogFile> | undefined;
  #purging: Promise<void> = Promise.resolve();
  #failure: ClusterError | undefined;

  /** Use `openWal`. */
  constructor(disk: LogDisk, options: WalOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
  }

  /** Makes the first segment of an empty directory. */
  async begin(): Promise<void> {
    await this.#orFail("begin the write-ahead log", () => this.#startSegment(0));
  }

  /** Goes on where the last segment ends. */
  async resume(contents: readonly SegmentContents[], last: SegmentContents): Promise<void> {
    this.#segments = contents.map(({ header, batches }) => ({
      number: header.number,
      maxIndex: Math.max(0, ...batches.map(maxIndexOf)),
    }));
    const batches = contents.flatMap((segment) => segment.batches);
    this.#hardState = batches.findLast((batch) => batch.hardState !== undefined)?.hardState;
    this.#offset = last.endOffset;
    this.#salt = last.header.salt;
    this.#sequence = last.nextSequence;
    await this.#orFail("open the write-ahead log", async () => {
      const name = segmentName(last.header.number);
      this.#fileBytes = (await this.#disk.read(name)).length;
      this.#file = await this.#disk.open(name);
      if (last.torn === undefined) return;
      await writeZeros(this.#file, last.endOffset, this.#fileBytes);
      await this.#file.sync();
    });
  }

  /**
   * Resolves once the batch is durable.
   *
   * @throws {ClusterError} when the disk fails, now or earlier. It is then unknown what is on disk: stop the process.
   */
  async append(batch: WalBatch): Promise<void> {
    await this.#orFail("write the write-ahead log", () => this.#append(batch));
  }

  /** Removes the oldest segments that hold no entry after `index`. Calls may overlap each other and `append`. */
  purge(index: number): Promise<void> {
    this.#purging = this.#purging.then(() => this.#purge(index));
    return this.#purging;
  }

  async #purge(index: number): Promise<void> {
    await this.#orFail("purge the write-ahead log", async () => {
      for (;;) {
        const [oldest] = this.#segments;
        if (oldest === undefined || oldest === this.#segments.at(-1)) return;
        if (oldest.maxIndex > index) return;
        await this.#disk.remove(segmentName(oldest.number));
        // One by one, or a crash could take a middle one and leave an older.
        await this.#disk.syncDir();
        this.#segments.shift();
      }
    });
  }

  /** Closes the files; nothing is lost without it. */
  async close(): Promise<void> {
    const spare = this.#spare;
    this.#spare = undefined;
    this.#failure ??= new ClusterError(
      "Unavailable",
      "cannot write the write-ahead log: it is closed",
    );
    await this.#file?.close();
    this.#file = undefined;
    await spare?.then((file) => file.close()).catch(() => undefined);
  }

  async #append(batch: WalBatch): Promise<void> {
    let payload = encodeBatch(batch);
    if (this.#offset + recordBytes(payload.length) > this.#fileBytes) {
      // The first record of a segment says the hard state again, so that older segments can go.
      payload = encodeBatch({ ...batch, hardState: batch.hardState ?? this.#hardState });
      await this.#startSegment(payload.length);
    }
    const file = this.#file;
    const segment = this.#segments.at(-1);
    assert(file !== undefined && segment !== undefined, "an open log has a segment");
    const place = { offset: this.#offset, sequence: this.#sequence, salt: this.#salt };
    const record = encodeRecord(payload, place);
    segment.maxIndex = Math.max(segment.maxIndex, maxIndexOf(batch));
    this.#hardState = batch.hardState ?? this.#hardState;
    await file.write(record, this.#offset);
    await file.sync();
    this.#offset += record.length;
    this.#sequence++;
    if (this.#offset > this.#segmentBytes / 2) this.#prepareSpare();
  }

  /** Everything before is synced, so the new segment's existence proves the old one whole. */
  async #startSegment(payloadLength: number): Promise<void> {
    this.#prepareSpare();
    const file = await this.#spare;
    this.#spare = undefined;
    assert(file !== undefined, "a spare was prepared");
    const needed = SEGMENT_HEADER_BYTES + recordBytes(payloadLength);
    if (needed > this.#segmentBytes) await writeZeros(file, this.#segmentBytes, needed);
    const header: SegmentHeader = {
      number: (this.#segments.at(-1)?.number ?? 0) + 1,
      firstSequence: this.#sequence,
      raftId: this.#options.raftId,
      salt: randomInt(this.#options.random, 2 ** 32),
    };
    await file.write(encodeSegmentHeader(header), 0);
    await file.sync();
    await this.#disk.rename(SPARE_NAME, segmentName(header.number));
    await this.#disk.syncDir();
    await this.#file?.close();
    this.#file = file;
    this.#fileBytes = Math.max(needed, this.#segmentBytes);
    this.#offset = SEGMENT_HEADER_BYTES;
    this.#salt = header.salt;
    this.#segments.push({ number: header.number, maxIndex: 0 });
  }

  /** Writes the next segment's zeros ahead, beside the appends. */
  #prepareSpare(): void {
    if (this.#spare !== undefined) return;
    this.#spare = this.#createSpare();
    // Reported where it is awaited.
    this.#spare.catch(() => undefined);
  }

  async #createSpare(): Promise<LogFile> {
    const file = await this.#disk.create(SPARE_NAME);
    await writeZeros(file, 0, this.#segmentBytes);
    await file.sync();
    return file;
  }

  async #orFail(action: string, work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await work();
    } catch (cause) {
      if (cause instanceof InvariantError) throw cause;
      this.#failure = diskFailed(action, this.#disk, cause);
      throw this.#failure;
    }
  }
}

function maxIndexOf(batch: WalBatch): number {
  return Math.max(batch.restart?.index ?? 0, batch.entries.at(-1)?.index ?? 0);
}
