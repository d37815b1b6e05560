import { assert, InvariantError } from "../../../core/assert.ts";
import { ClusterError } from "../../../core/errors.ts";
import { type Random, randomInt } from "../../../core/random.ts";
import type { HardState } from "../../../raft-ts/types.ts";
import { diskFailed, type LogDisk, type LogFile, writeZeros } from "../disk/log-disk.ts";
import type { DataKeys } from "../seal/data-key.ts";
import { FileSeal, SEAL_BYTES } from "../seal/file-seal.ts";
import { encodeBatch, type WalBatch } from "./batch.ts";
import { encodeRecord, recordBytes } from "./record.ts";
import {
  encodeSegmentHeader,
  readSegment,
  SEGMENT_HEADER_BYTES,
  type SegmentContents,
  type SegmentHeader,
  sealPayload,
  segmentFile,
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
  /** Without them all is in clear. */
  readonly keys?: DataKeys | undefined;
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
  /** Undefined: in clear. */
  readonly keyId: string | undefined;
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
  const contents = await readWal(disk, options);
  const wal = new Wal(disk, options);
  const last = contents.at(-1);
  if (last === undefined) await wal.begin();
  else await wal.resume(contents, last);
  const batches = contents.flatMap((segment) => segment.batches);
  return { wal, isNew: last === undefined, batches, torn: last?.torn };
}

/** Reads every segment and changes nothing. @param options.raftId whose log it must be; undefined: anyone's. */
export async function readWal(
  disk: LogDisk,
  { raftId, keys }: { readonly raftId?: number; readonly keys?: DataKeys | undefined },
): Promise<readonly SegmentContents[]> {
  const numbers = (await disk.list())
    .map(segmentNumber)
    .filter((number): number is number => number !== undefined);
  const contents: SegmentContents[] = [];
  for (const number of numbers) {
    const name = segmentName(number);
    const isLast = number === numbers.at(-1);
    const read = readSegment(`${disk.dir}/${name}`, await disk.read(name), { isLast, keys });
    const before = contents.at(-1);
    checkSegment(disk, read, { number, raftId: raftId ?? before?.header.raftId, before });
    contents.push(read);
  }
  return contents;
}

function checkSegment(
  disk: LogDisk,
  read: SegmentContents,
  expected: {
    readonly number: number;
    readonly raftId: number | undefined;
    readonly before: SegmentContents | undefined;
  },
): void {
  const file = `${disk.dir}/${segmentName(expected.number)}`;
  const { number, raftId, firstSequence } = read.header;
  if (expected.raftId !== undefined && raftId !== expected.raftId) {
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
  #seal: FileSeal | undefined;
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
      keyId: header.seal?.keyId,
      maxIndex: Math.max(0, ...batches.map(maxIndexOf)),
    }));
    const batches = contents.flatMap((segment) => segment.batches);
    this.#hardState = batches.findLast((batch) => batch.hardState !== undefined)?.hardState;
    this.#offset = last.endOffset;
    this.#salt = last.header.salt;
    this.#seal = last.seal;
    this.#sequence = last.nextSequence;
    await this.#orFail("open the write-ahead log", async () => {
      const name = segmentName(last.header.number);
      const bytes = await this.#disk.read(name);
      this.#fileBytes = bytes.length;
      this.#file = await this.#disk.open(name);
      // What a failed sync left in the page cache reads well and is not on the disk: write it once more.
      await this.#file.write(bytes.subarray(last.lastOffset, last.endOffset), last.lastOffset);
      if (last.torn !== undefined) {
        await writeZeros(this.#file, last.endOffset, this.#fileBytes);
      }
      await this.#file.sync();
      await this.#disk.syncDir();
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

  /** What is under another key than the current one; undefined when nothing is. */
  get outdated(): { readonly maxIndex: number; readonly isWrittenTo: boolean } | undefined {
    const outdated = this.#segments.filter((segment) => this.#isOutdated(segment));
    if (outdated.length === 0) return undefined;
    return {
      maxIndex: Math.max(...outdated.map(({ maxIndex }) => maxIndex)),
      isWrittenTo: outdated.at(-1) === this.#segments.at(-1),
    };
  }

  #isOutdated({ keyId }: Segment): boolean {
    const { keys } = this.#options;
    return keys !== undefined && keyId !== keys.current.id;
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
    const current = this.#segments.at(-1);
    const isOutdated = current !== undefined && this.#isOutdated(current);
    if (isOutdated || this.#offset + recordBytes(this.#sealedLength(payload)) > this.#fileBytes) {
      // The first record of a segment says the hard state again, so that older segments can go.
      payload = encodeBatch({ ...batch, hardState: batch.hardState ?? this.#hardState });
      await this.#startSegment(this.#sealedLength(payload));
    }
    const file = this.#file;
    const segment = this.#segments.at(-1);
    assert(file !== undefined && segment !== undefined, "an open log has a segment");
    const place = { offset: this.#offset, sequence: this.#sequence, salt: this.#salt };
    const record = encodeRecord(sealPayload(this.#seal, payload, place), place);
    segment.maxIndex = Math.max(segment.maxIndex, maxIndexOf(batch));
    this.#hardState = batch.hardState ?? this.#hardState;
    await file.writeDurably(record, this.#offset);
    this.#offset += record.length;
    this.#sequence++;
    if (this.#offset > this.#segmentBytes / 2) this.#prepareSpare();
  }

  #sealedLength(payload: Uint8Array): number {
    return payload.length + (this.#options.keys === undefined ? 0 : SEAL_BYTES);
  }

  /** Everything before is synced, so the new segment's existence proves the old one whole. */
  async #startSegment(payloadLength: number): Promise<void> {
    this.#prepareSpare();
    const file = await this.#spare;
    this.#spare = undefined;
    assert(file !== undefined, "a spare was prepared");
    const needed = SEGMENT_HEADER_BYTES + recordBytes(payloadLength);
    if (needed > this.#segmentBytes) await writeZeros(file, this.#segmentBytes, needed);
    const { raftId, random, keys } = this.#options;
    const is = {
      number: (this.#segments.at(-1)?.number ?? 0) + 1,
      firstSequence: this.#sequence,
      raftId,
      salt: randomInt(random, 2 ** 32),
    };
    const seal = keys === undefined ? undefined : FileSeal.begin(keys, segmentFile(is));
    const header: SegmentHeader = { ...is, seal: seal?.head };
    await file.write(encodeSegmentHeader(header), 0);
    await file.sync();
    await this.#disk.rename(SPARE_NAME, segmentName(header.number));
    await this.#disk.syncDir();
    await this.#file?.close();
    this.#file = file;
    this.#fileBytes = Math.max(needed, this.#segmentBytes);
    this.#offset = SEGMENT_HEADER_BYTES;
    this.#salt = header.salt;
    this.#seal = seal;
    this.#segments.push({ number: header.number, keyId: seal?.head.keyId, maxIndex: 0 });
  }

  /** Writes the next segment's zeros ahead, beside the appends. */
  #prepareSpare(): void {
    if (this.#spare !== undefined) return;
    this.#spare = this.#createSpare();
    // Nothing more is acknowledged by a disk that failed, though this segment has room still.
    this.#spare.catch((cause: unknown) => {
      this.#failure ??= diskFailed("write the write-ahead log", this.#disk, cause);
    });
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
