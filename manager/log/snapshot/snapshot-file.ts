import { ClusterError } from "../../../core/errors.ts";
import type { LogDisk, LogFile } from "../disk/log-disk.ts";
import type { DataKeys } from "../seal/data-key.ts";
import { FileSeal, type SealHead } from "../seal/file-seal.ts";
import {
  decodeFrame,
  decodeFrameHead,
  FRAME_HEAD_BYTES,
  type FramePlace,
  type SnapshotFrame,
  type SnapshotHeader,
} from "./snapshot-frame.ts";

/** What a snapshot's seal is bound to. */
export function snapshotSealFile(name: string): string {
  return `snapshot ${name}`;
}

/** A snapshot on disk, open for reading: it stays readable when the store removes its name. */
export class SnapshotFile {
  readonly header: SnapshotHeader;
  readonly #frames: FrameReader;

  private constructor(header: SnapshotHeader, frames: FrameReader) {
    this.header = header;
    this.#frames = frames;
  }

  /** @throws {ClusterError} `DataLoss` when its header is damaged, `FailedPrecondition` when its key is missing. */
  static async open(
    disk: LogDisk,
    name: string,
    keys: DataKeys | undefined,
  ): Promise<SnapshotFile> {
    const path = `${disk.dir}/${name}`;
    const file = await disk.open(name);
    try {
      const frames = await FrameReader.begin(path, file);
      frames.unseal(FileSeal.of(path, frames.sealHead, { keys, file: snapshotSealFile(name) }));
      const header = await frames.next();
      if (header.kind !== "header") throw frames.damaged(0, "it does not start with a header");
      return new SnapshotFile(header.header, frames);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The parts in order, once. @throws {ClusterError} `DataLoss`, naming file and byte, on the first damaged or missing one. */
  async *parts(): AsyncGenerator<Uint8Array> {
    for (let count = 0; ; count++) {
      const offset = this.#frames.offset;
      const frame = await this.#frames.next();
      if (frame.kind === "part") yield frame.part;
      else if (frame.kind === "end" && frame.parts === count) return;
      else
        throw this.#frames.damaged(offset, `after ${count} parts it does not go on as it should`);
    }
  }

  async close(): Promise<void> {
    await this.#frames.close();
  }
}

/** With which key a snapshot is sealed; undefined: it is in clear. @throws {ClusterError} `DataLoss` when it is damaged. */
export async function readSealHead(disk: LogDisk, name: string): Promise<SealHead | undefined> {
  const file = await disk.open(name);
  try {
    return (await FrameReader.begin(`${disk.dir}/${name}`, file)).sealHead;
  } finally {
    await file.close();
  }
}

/** Reads one frame after the other. */
class FrameReader {
  readonly sealHead: SealHead | undefined;
  readonly #path: string;
  readonly #file: LogFile;
  #seal: FileSeal | undefined;
  #offset: number;
  #number: number;

  private constructor(path: string, file: LogFile, first: FrameAt) {
    this.#path = path;
    this.#file = file;
    this.sealHead = first.frame.kind === "seal" ? first.frame.head : undefined;
    this.#offset = this.sealHead === undefined ? 0 : first.end;
    this.#number = this.sealHead === undefined ? 0 : 1;
  }

  /** Reads the first frame. */
  static async begin(path: string, file: LogFile): Promise<FrameReader> {
    const place = { seal: undefined, number: 0 };
    return new FrameReader(path, file, await readFrame(path, file, { offset: 0, ...place }));
  }

  /** How the frames that follow are read. */
  unseal(seal: FileSeal | undefined): void {
    this.#seal = seal;
  }

  /** Where the next frame starts. */
  get offset(): number {
    return this.#offset;
  }

  async next(): Promise<SnapshotFrame> {
    const at = { offset: this.#offset, seal: this.#seal, number: this.#number };
    const { frame, end } = await readFrame(this.#path, this.#file, at);
    this.#offset = end;
    this.#number++;
    return frame;
  }

  damaged(offset: number, why: string): ClusterError {
    return damaged(this.#path, offset, why);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

interface FrameAt {
  readonly frame: SnapshotFrame;
  readonly end: number;
}

async function readFrame(
  path: string,
  file: LogFile,
  { offset, ...place }: FramePlace & { readonly offset: number },
): Promise<FrameAt> {
  const head = decodeFrameHead(await file.read(offset, FRAME_HEAD_BYTES));
  if (head === undefined) throw damaged(path, offset, "no frame starts here");
  const payload = await file.read(offset + FRAME_HEAD_BYTES, head.length);
  const frame = decodeFrame(head, payload, place);
  if (frame === undefined) throw damaged(path, offset, "the frame's CRC or seal is wrong");
  return { frame, end: offset + FRAME_HEAD_BYTES + head.length };
}

function damaged(path: string, offset: number, why: string): ClusterError {
  return new ClusterError("DataLoss", `snapshot ${path} is damaged at byte ${offset}: ${why}`, {
    details: { file: path, offset },
  });
}
