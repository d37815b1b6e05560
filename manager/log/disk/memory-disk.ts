import type { Random } from "../../../core/random.ts";
import type { LogDisk, LogFile } from "./log-disk.ts";

/** Written whole or not at all, as by a real disk. */
const SECTOR_BYTES = 512;

/** What a test may put between the log and its disk. */
export interface MemoryDiskOptions {
  readonly dir?: string;
  /** How long a call takes; it is under way until this resolves. */
  readonly delay?: () => Promise<void>;
  /** Syncs succeed and make nothing durable: what a test of durability must find out. */
  readonly syncsLie?: boolean;
  /** An error makes the call fail with it, with no effect. */
  readonly fault?: (call: DiskCall, name: string) => Error | undefined;
}

export type DiskCall = "read" | "write" | "sync" | "create" | "rename" | "remove" | "syncDir";

type Names = Map<string, Inode>;

/** A disk that forgets in a crash what was not synced: any sectors of files, and the latest changes of names. */
export class MemoryDisk implements LogDisk {
  readonly dir: string;
  readonly #options: MemoryDiskOptions;
  readonly #names: Names;
  readonly #durableNames: Names;
  #unsyncedChanges: ((names: Names) => void)[] = [];
  #crashed = false;

  constructor(options: MemoryDiskOptions = {}, names: Names = new Map()) {
    this.dir = options.dir ?? "/memory";
    this.#options = options;
    this.#names = new Map(names);
    this.#durableNames = new Map(names);
  }

  /**
   * Ends this disk, whose calls under way never end, and returns what a power cut leaves: of the un-synced sectors each
   * with a chance of its own, of the un-synced changes of names a first part.
   */
  crash(random: Random, options: MemoryDiskOptions = this.#options): MemoryDisk {
    this.#crashed = true;
    const names = new Map(this.#durableNames);
    const kept = Math.floor(random.next() * (this.#unsyncedChanges.length + 1));
    for (const change of this.#unsyncedChanges.slice(0, kept)) change(names);
    // Nothing and everything survive as often as something in between.
    const survival = [0, 0.5, 1][Math.floor(random.next() * 3)] ?? 0;
    const after: Names = new Map();
    for (const [name, inode] of names) after.set(name, inode.afterCrash(random, survival));
    return new MemoryDisk(options, after);
  }

  /** A disk of its own with what is durable now: a backup. */
  copy(): MemoryDisk {
    const names: Names = new Map();
    for (const [name, inode] of this.#durableNames) names.set(name, inode.copyDurable());
    return new MemoryDisk(this.#options, names);
  }

  async list(): Promise<readonly string[]> {
    await this.call("read", "");
    return [...this.#names.keys()].sort();
  }

  async read(name: string): Promise<Uint8Array> {
    await this.call("read", name);
    return this.#find(name).bytes.slice();
  }

  async create(name: string): Promise<LogFile> {
    const inode = new Inode();
    await this.call("create", name);
    this.#change((names) => names.set(name, inode));
    return new MemoryFile(this, name, inode);
  }

  async open(name: string): Promise<LogFile> {
    await this.call("read", name);
    return new MemoryFile(this, name, this.#find(name));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.call("rename", from);
    const inode = this.#find(from);
    this.#change((names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  async remove(name: string): Promise<void> {
    await this.call("remove", name);
    if (this.#names.has(name)) this.#change((names) => names.delete(name));
  }

  async syncDir(): Promise<void> {
    const changes = [...this.#unsyncedChanges];
    await this.call("syncDir", "");
    for (const change of changes) change(this.#durableNames);
    this.#unsyncedChanges = this.#unsyncedChanges.filter((change) => !changes.includes(change));
  }

  /** Name and size of each file. */
  files(): ReadonlyMap<string, number> {
    return new Map([...this.#names].map(([name, { bytes }]) => [name, bytes.length]));
  }

  /** Flips one bit where it lies, as a failing disk does. */
  flipBit(name: string, bit: number): void {
    this.#find(name).flipBit(bit);
  }

  get syncsLie(): boolean {
    return this.#options.syncsLie === true;
  }

  /** The delay and the faults of one call; for the files of this disk. */
  async call(call: DiskCall, name: string): Promise<void> {
    if (!this.#crashed) await this.#options.delay?.();
    // A dead machine's calls neither succeed nor fail.
    if (this.#crashed) await new Promise(() => {});
    const fault = this.#options.fault?.(call, name);
    if (fault !== undefined) throw fault;
  }

  #change(change: (names: Names) => void): void {
    change(this.#names);
    this.#unsyncedChanges.push(change);
  }

  #find(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode !== undefined) return inode;
    throw Object.assign(new Error(`ENOENT: no such file, open '${this.dir}/${name}'`), {
      code: "ENOENT",
    });
  }
}

/** A file's bytes as read now, and as they would be after losing every un-synced sector. */
class Inode {
  readonly #now = new Bytes();
  readonly #durable = new Bytes();
  readonly #dirty = new Set<number>();

  get bytes(): Uint8Array {
    return this.#now.view;
  }

  write(bytes: Uint8Array, offset: number): void {
    this.#now.write(bytes, offset);
    const first = Math.floor(offset / SECTOR_BYTES);
    const end = Math.ceil((offset + bytes.length) / SECTOR_BYTES);
    for (let sector = first; sector < end; sector++) this.#dirty.add(sector);
  }

  dirtySectors(): readonly number[] {
    return [...this.#dirty];
  }

  makeDurable(sectors: readonly number[]): void {
    for (const sector of sectors) {
      const start = sector * SECTOR_BYTES;
      this.#durable.write(this.bytes.subarray(start, start + SECTOR_BYTES), start);
      this.#dirty.delete(sector);
    }
  }

  afterCrash(random: Random, survival: number): Inode {
    this.makeDurable(this.dirtySectors().filter(() => random.next() < survival));
    return this.copyDurable();
  }

  copyDurable(): Inode {
    const copy = new Inode();
    copy.write(this.#durable.view, 0);
    copy.makeDurable(copy.dirtySectors());
    return copy;
  }

  flipBit(bit: number): void {
    const at = Math.floor(bit / 8);
    const flipped = Uint8Array.of((this.bytes[at] ?? 0) ^ (1 << (bit % 8)));
    this.#now.write(flipped, at);
    this.#durable.write(flipped, at);
  }
}

/** Bytes that grow by doubling. */
class Bytes {
  #buffer = new Uint8Array(0);
  #length = 0;

  get view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  write(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length;
    if (end > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#buffer.length));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, offset);
    this.#length = Math.max(this.#length, end);
  }
}

class MemoryFile implements LogFile {
  readonly #disk: MemoryDisk;
  readonly #name: string;
  readonly #inode: Inode;

  constructor(disk: MemoryDisk, name: string, inode: Inode) {
    this.#disk = disk;
    this.#name = name;
    this.#inode = inode;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    // At once, so that a crash while the call is under way leaves some of it.
    this.#inode.write(bytes, offset);
    await this.#disk.call("write", this.#name);
  }

  async writeDurably(bytes: Uint8Array, offset: number): Promise<void> {
    await this.write(bytes, offset);
    await this.sync();
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    await this.#disk.call("read", this.#name);
    return this.#inode.bytes.slice(offset, offset + length);
  }

  async sync(): Promise<void> {
    const sectors = this.#inode.dirtySectors();
    await this.#disk.call("sync", this.#name);
    if (!this.#disk.syncsLie) this.#inode.makeDurable(sectors);
  }

  async close(): Promise<void> {}
}
