import { ClusterError, errorCode } from "../../../core/errors.ts";
import type { SnapshotMeta } from "../../../raft-ts/types.ts";
import { diskFailed, type LogDisk, type LogFile } from "../disk/log-disk.ts";
import type { DataKeys } from "../seal/data-key.ts";
import { FileSeal } from "../seal/file-seal.ts";
import { readSealHead, SnapshotFile, snapshotSealFile } from "./snapshot-file.ts";
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
  readonly #keys: DataKeys | undefined;
  /** Oldest first. */
  #names: string[] = [];
  /** With which key each is sealed; absent: in clear or unreadable. */
  readonly #keyIds = new Map<string, string>();
  /** The keys of those being written. */
  readonly #writing = new Map<SnapshotWriter, string | undefined>();
  #writes = 0;

  private constructor(disk: LogDisk, names: readonly string[], keys: DataKeys | undefined) {
    this.#disk = disk;
    this.#names = [...names];
    this.#keys = keys;
  }

  /** Clears what a crash left half-written. @param keys without them all is in clear. */
  static async open(disk: LogDisk, keys?: DataKeys): Promise<SnapshotStore> {
    for (const name of (await disk.list()).filter((name) => TEMPORARY.test(name)))
      await disk.remove(name);
    return SnapshotStore.read(disk, keys);
  }

  /** The same, and changes nothing: to look only. */
  static async read(disk: LogDisk, keys?: DataKeys): Promise<SnapshotStore> {
    const names = (await disk.list()).filter((name) => NAME.test(name));
    const store = new SnapshotStore(disk, names, keys);
    for (const name of names) await store.#noteKey(name);
    return store;
  }

  /** File names, oldest first. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The index of the oldest snapshot kept: the log must go on from it. 0 when there is none. */
  get oldestIndex(): number {
    return indexOf(this.#names[0] ?? "");
  }

  /** Opens the newest to send it. Undefined when there is none. */
  async openNewest(): Promise<SnapshotFile | undefined> {
    const name = this.#names.at(-1);
    return name === undefined ? undefined : SnapshotFile.open(this.#disk, name, this.#keys);
  }

  /** The index of the newest under another key than the current one; 0 when there is none. */
  get outdatedIndex(): number {
    return indexOf(this.#names.findLast((name) => this.#isOutdated(name)) ?? "");
  }

  /** The index of the newest under the current key; 0 when there is none. */
  get currentIndex(): number {
    return indexOf(this.#names.findLast((name) => !this.#isOutdated(name)) ?? "");
  }

  /** Whether any is under another key than the current one, or will be once it is written. */
  get hasOutdated(): boolean {
    if (this.outdatedIndex > 0) return true;
    return [...this.#writing.values()].some((keyId) => keyId !== this.#keys?.current.id);
  }

  /** Removes those under another key that a newer one under the current key makes needless. */
  async discardOutdated(): Promise<void> {
    const needed = this.currentIndex;
    const outdated = this.#names.filter((name) => this.#isOutdated(name) && indexOf(name) < needed);
    await this.#orFail(async () => {
      for (const name of outdated) await this.discard(name);
    });
  }

  #isOutdated(name: string): boolean {
    return this.#keys !== undefined && this.#keyIds.get(name) !== this.#keys.current.id;
  }

  /** A damaged one counts as outdated: it goes when there is another. */
  async #noteKey(name: string): Promise<void> {
    try {
      const head = await readSealHead(this.#disk, name);
      if (head !== undefined) this.#keyIds.set(name, head.keyId);
    } catch (error) {
      if (errorCode(error) !== "DataLoss") throw error;
    }
  }

  /** Reads one whole. @throws {ClusterError} `DataLoss`, naming file and byte, when it is damaged. */
  async load(name: string): Promise<LoadedSnapshot> {
    const file = await SnapshotFile.open(this.#disk, name, this.#keys);
    try {
      const parts: Uint8Array[] = [];
      for await (const part of file.parts()) parts.push(part);
      return { header: file.header, parts };
    } finally {
      await file.close();
    }
  }

  /** Reads the newest that is whole; calls back with each damaged one on the way. Undefined when none is. */
  async loadNewest(
    onDamaged: (error: ClusterError, name: string) => Promise<void>,
  ): Promise<LoadedSnapshot | undefined> {
    for (const name of [...this.#names].reverse()) {
      try {
        return await this.load(name);
      } catch (error) {
        if (!(error instanceof ClusterError && error.code === "DataLoss")) throw error;
        await onDamaged(error, name);
      }
    }
    return undefined;
  }

  /** Forgets one that cannot be read. */
  async discard(name: string): Promise<void> {
    await this.#disk.remove(name);
    await this.#disk.syncDir();
    this.#names = this.#names.filter((other) => other !== name);
    this.#keyIds.delete(name);
  }

  /** Begins a snapshot; it takes its place in the store by `commit`. */
  async begin(header: SnapshotHeader): Promise<SnapshotWriter> {
    this.#writes++;
    const name = snapshotName(header.meta);
    const temporary = `${name.replace(".snap", "")}-${this.#writes}.snap.tmp`;
    const seal =
      this.#keys === undefined ? undefined : FileSeal.begin(this.#keys, snapshotSealFile(name));
    const writer = await this.#orFail(async () => {
      const file = await this.#disk.create(temporary);
      return new SnapshotWriter(file, seal, {
        orFail: (action) => this.#orFail(action),
        keep: async () => {
          await this.#keep(temporary, name, seal?.head.keyId);
          this.#writing.delete(writer);
        },
        drop: async () => {
          this.#writing.delete(writer);
          await this.#disk.remove(temporary);
        },
      });
    });
    this.#writing.set(writer, seal?.head.keyId);
    if (seal !== undefined) await writer.write({ kind: "seal", head: seal.head });
    await writer.write({ kind: "header", header });
    return writer;
  }

  async #keep(temporary: string, name: string, keyId: string | undefined): Promise<void> {
    await this.#disk.rename(temporary, name);
    if (keyId !== undefined) this.#keyIds.set(name, keyId);
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
  readonly #seal: FileSeal | undefined;
  readonly #store: WriterStore;
  #offset = 0;
  #frames = 0;
  #parts = 0;

  /** Use `SnapshotStore.begin`. */
  constructor(file: LogFile, seal: FileSeal | undefined, store: WriterStore) {
    this.#file = file;
    this.#seal = seal;
    this.#store = store;
  }

  /** Adds the next part. */
  async add(part: Uint8Array): Promise<void> {
    await this.write({ kind: "part", part });
    this.#parts++;
  }

  /** For the store: header and end are frames too. */
  async write(frame: SnapshotFrame): Promise<void> {
    const bytes = encodeFrame(frame, { seal: this.#seal, number: this.#frames });
    await this.#store.orFail(() => this.#file.write(bytes, this.#offset));
    this.#offset += bytes.length;
    this.#frames++;
  }

  /** Resolves once the snapshot is durable and the newest of the store; older ones may go. */
  async commit(): Promise<void> {
    await this.write({ kind: "end", parts: this.#parts });
    await this.#store.orFail(async () => {
      await this.#file.sync();
      await this.#file.close();
      await this.#store.keep();
    });
  }

  /** Leaves no trace. */
  async abandon(): Promise<void> {
    await this.#file.close();
    await this.#store.drop();
  }
}

/** What a writer needs of its store. */
interface WriterStore {
  readonly orFail: (action: () => Promise<void>) => Promise<void>;
  readonly keep: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

/** 0 for other names. */
function indexOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? 0);
}

function snapshotName(meta: SnapshotMeta): string {
  const digits = (value: number): string => String(value).padStart(16, "0");
  return `${digits(meta.index)}-${digits(meta.term)}.snap`;
}
