import type { SnapshotMeta } from "../../../raft-ts/types.ts";
import { diskFailed, type LogDisk, type LogFile } from "../disk/log-disk.ts";
import { SnapshotFile } from "./snapshot-file.ts";
import { encodeFrame, type SnapshotFrame, type SnapshotHeader } from "./snapshot-frame.ts";

/** The newest, and one to fall back to should its file be damaged: the log is kept from the older one on. */
export const SNAPSHOTS_KEPT = 2;

const NAME = /^(\d{16})-(\d{16})\.snap$/;
const TEMPORARY = /\.snap\.tmp$/;

/** A whole snapshot in memory, as the state machine restores it. */
export interface LoadedSnapshot {
  readonly header: SnapshotHeader;
  readonly parts: readonly Uint8Array[];
}

/** The snapshots of one directory: each is there whole or not at all. */
export class SnapshotStore {
  readonly #disk: LogDisk;
  /** Oldest first. */
  #names: string[] = [];
  #writes = 0;

  private constructor(disk: LogDisk, names: readonly string[]) {
    this.#disk = disk;
    this.#names = [...names];
  }

  /** Clears what a crash left half-written. */
  static async open(disk: LogDisk): Promise<SnapshotStore> {
    const names = await disk.list();
    for (const name of names.filter((name) => TEMPORARY.test(name))) await disk.remove(name);
    return new SnapshotStore(
      disk,
      names.filter((name) => NAME.test(name)),
    );
  }

  /** File names, oldest first. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The index of the oldest snapshot kept: the log must go on from it. 0 when there is none. */
  get oldestIndex(): number {
    return Number(NAME.exec(this.#names[0] ?? "")?.[1] ?? 0);
  }

  /** Opens the newest to send it. Undefined when there is none. */
  async openNewest(): Promise<SnapshotFile | undefined> {
    const name = this.#names.at(-1);
    return name === undefined ? undefined : SnapshotFile.open(this.#disk, name);
  }

  /** Reads one whole. @throws {ClusterError} `DataLoss`, naming file and byte, when it is damaged. */
  async load(name: string): Promise<LoadedSnapshot> {
    const file = await SnapshotFile.open(this.#disk, name);
    try {
      const parts: Uint8Array[] = [];
      for await (const part of file.parts()) parts.push(part);
      return { header: file.header, parts };
    } finally {
      await file.close();
    }
  }

  /** Forgets one that cannot be read. */
  async discard(name: string): Promise<void> {
    await this.#disk.remove(name);
    await this.#disk.syncDir();
    this.#names = this.#names.filter((other) => other !== name);
  }

  /** Begins a snapshot; it takes its place in the store by `commit`. */
  async begin(header: SnapshotHeader): Promise<SnapshotWriter> {
    this.#writes++;
    const name = snapshotName(header.meta);
    const temporary = `${name.replace(".snap", "")}-${this.#writes}.snap.tmp`;
    const writer = await this.#orFail(async () => {
      const file = await this.#disk.create(temporary);
      return new SnapshotWriter(file, (action) => this.#orFail(action), {
        keep: () => this.#keep(temporary, name),
        drop: () => this.#disk.remove(temporary),
      });
    });
    await writer.write({ kind: "header", header });
    return writer;
  }

  async #keep(temporary: string, name: string): Promise<void> {
    await this.#disk.rename(temporary, name);
    await this.#disk.syncDir();
    const names = new Set([...this.#names, name]);
    this.#names = [...names].sort();
    for (const old of this.#names.slice(0, -SNAPSHOTS_KEPT)) await this.discard(old);
  }

  async #orFail<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      throw diskFailed("write a snapshot", this.#disk, cause);
    }
  }
}

/** A snapshot being written; end it with `commit` or `abandon`. */
export class SnapshotWriter {
  readonly #file: LogFile;
  readonly #orFail: (action: () => Promise<void>) => Promise<void>;
  readonly #end: { readonly keep: () => Promise<void>; readonly drop: () => Promise<void> };
  #offset = 0;
  #parts = 0;

  /** Use `SnapshotStore.begin`. */
  constructor(
    file: LogFile,
    orFail: (action: () => Promise<void>) => Promise<void>,
    end: { readonly keep: () => Promise<void>; readonly drop: () => Promise<void> },
  ) {
    this.#file = file;
    this.#orFail = orFail;
    this.#end = end;
  }

  /** Adds the next part. */
  async add(part: Uint8Array): Promise<void> {
    await this.write({ kind: "part", part });
    this.#parts++;
  }

  /** For the store: header and end are frames too. */
  async write(frame: SnapshotFrame): Promise<void> {
    const bytes = encodeFrame(frame);
    await this.#orFail(() => this.#file.write(bytes, this.#offset));
    this.#offset += bytes.length;
  }

  /** Resolves once the snapshot is durable and the newest of the store; older ones may go. */
  async commit(): Promise<void> {
    await this.write({ kind: "end", parts: this.#parts });
    await this.#orFail(async () => {
      await this.#file.sync();
      await this.#file.close();
      await this.#end.keep();
    });
  }

  /** Leaves no trace. */
  async abandon(): Promise<void> {
    await this.#file.close();
    await this.#end.drop();
  }
}

function snapshotName(meta: SnapshotMeta): string {
  const digits = (value: number): string => String(value).padStart(16, "0");
  return `${digits(meta.index)}-${digits(meta.term)}.snap`;
}
