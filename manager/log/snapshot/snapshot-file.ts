import { ClusterError } from "../../../core/errors.ts";
import type { LogDisk, LogFile } from "../disk/log-disk.ts";
import {
  decodeFrame,
  decodeFrameHead,
  FRAME_HEAD_BYTES,
  type SnapshotFrame,
  type SnapshotHeader,
} from "./snapshot-frame.ts";

/** A snapshot on disk, open for reading: it stays readable when the store removes its name. */
export class SnapshotFile {
  readonly header: SnapshotHeader;
  readonly #file: LogFile;
  readonly #path: string;
  readonly #partsOffset: number;

  private constructor(path: string, file: LogFile, first: FrameAt) {
    if (first.frame.kind !== "header") throw damaged(path, 0, "it does not start with a header");
    this.header = first.frame.header;
    this.#path = path;
    this.#file = file;
    this.#partsOffset = first.end;
  }

  /** @throws {ClusterError} `DataLoss` when its header is damaged. */
  static async open(disk: LogDisk, name: string): Promise<SnapshotFile> {
    const path = `${disk.dir}/${name}`;
    const file = await disk.open(name);
    try {
      return new SnapshotFile(path, file, await readFrame(path, file, 0));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The parts in order. @throws {ClusterError} `DataLoss`, naming file and byte, on the first damaged or missing one. */
  async *parts(): AsyncGenerator<Uint8Array> {
    let offset = this.#partsOffset;
    for (let count = 0; ; count++) {
      const { frame, end } = await readFrame(this.#path, this.#file, offset);
      if (frame.kind === "part") yield frame.part;
      else if (frame.kind === "end" && frame.parts === count) return;
      else throw damaged(this.#path, offset, `after ${count} parts it does not go on as it should`);
      offset = end;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

interface FrameAt {
  readonly frame: SnapshotFrame;
  readonly end: number;
}

async function readFrame(path: string, file: LogFile, offset: number): Promise<FrameAt> {
  const head = decodeFrameHead(await file.read(offset, FRAME_HEAD_BYTES));
  if (head === undefined) throw damaged(path, offset, "no frame starts here");
  const payload = await file.read(offset + FRAME_HEAD_BYTES, head.length);
  const frame = decodeFrame(head, payload);
  if (frame === undefined) throw damaged(path, offset, "the frame's CRC is wrong");
  return { frame, end: offset + FRAME_HEAD_BYTES + head.length };
}

function damaged(path: string, offset: number, why: string): ClusterError {
  return new ClusterError("DataLoss", `snapshot ${path} is damaged at byte ${offset}: ${why}`, {
    details: { file: path, offset },
  });
}
