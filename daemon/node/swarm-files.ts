import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ClusterError } from "../../core/errors.ts";
import { diskFailed } from "../../manager/log/disk/log-disk.ts";
import type { LogKind } from "../log-choice.ts";
import {
  decodeNodeFile,
  encodeNodeFile,
  isLocked,
  type NodeFile,
  type NodeOwn,
} from "./node-file.ts";

const NODE_FILE = "certificates/node.json";

/** What a node must remember of its swarm to be itself again after a restart. */
export interface SwarmState {
  /** host:port the manager part listens at. */
  readonly listenAddr: string;
  /** host:port others reach it at. */
  readonly advertiseAddr: string;
  /** The interface that had the advertised address; empty or absent: none of this machine's. */
  readonly advertiseInterface?: string;
  /** host:port of managers, to look for at first. */
  readonly managers: readonly string[];
  /** Its id in the Raft group while it is a manager; 0: it is none. */
  readonly raftId: number;
  /** The Raft group has taken it in, or it has started one: from then on its log must be there. */
  readonly raftJoined: boolean;
  /** The greatest Cluster.generation it was told of when its member was expelled; absent: 0. */
  readonly generation?: number;
  /** Which log that is; absent: the embedded one. */
  readonly logKind?: LogKind;
  /** A recovery wrote another log, which takes the place of the manager's own; absent: there is none or it has. */
  readonly recovery?: LogSwap;
}

/** Folder names: the log that takes over, and where the one it replaces is kept. */
export interface LogSwap {
  readonly recovered: string;
  readonly aside: string;
}

/** The files of a node's membership, below `<data-root>/swarm`. Each is written whole or not at all. */
export class SwarmFiles {
  readonly #folder: string;

  constructor(dataRoot: string) {
    this.#folder = join(dataRoot, "swarm");
  }

  /** Where the manager part keeps its log. */
  get managerFolder(): string {
    return join(this.#folder, "manager");
  }

  /** Whether `load` needs the unlock key. */
  get isLocked(): boolean {
    const file = this.#read<NodeFile>(NODE_FILE);
    return file !== undefined && isLocked(file);
  }

  /**
   * Undefined when this node is in no swarm.
   *
   * @throws {ClusterError} `DataLoss` when a file is unreadable, `Unavailable` when it is locked, `Unauthenticated` when
   * the unlock key is not the one.
   */
  load(unlockKey?: Uint8Array): (NodeOwn & { readonly state: SwarmState }) | undefined {
    const file = this.#read<NodeFile>(NODE_FILE);
    const state = this.loadState();
    if (file === undefined || state === undefined) return undefined;
    return { ...decodeNodeFile(file, unlockKey), state };
  }

  /** What is not secret of the membership. */
  loadState(): SwarmState | undefined {
    return this.#read<SwarmState>("state.json");
  }

  /** The node's certificate, which is not secret either. */
  loadCertPem(): string | undefined {
    return this.#read<NodeFile>(NODE_FILE)?.certPem;
  }

  saveState(state: SwarmState): void {
    this.#write("state.json", state);
  }

  /** Certificate and keys go together: there is no moment at which they do not fit, or are under two locks. */
  saveOwn(own: NodeOwn): void {
    this.#write(NODE_FILE, encodeNodeFile(own));
  }

  /** Forgets the manager part; its log must be closed. */
  removeManager(): void {
    rmSync(this.managerFolder, { recursive: true, force: true });
  }

  /** Where a recovery writes its log; empty. What a broken one left is removed. */
  prepareRecovery(name: string): string {
    const path = join(this.#folder, name);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true, mode: 0o700 });
    syncFolder(this.#folder);
    return path;
  }

  /** The folder of the log that counts: a recovered one does from the moment the state names it. */
  logFolder({ recovery }: SwarmState): string {
    const path = recovery === undefined ? undefined : join(this.#folder, recovery.recovered);
    return path !== undefined && existsSync(path) ? path : this.managerFolder;
  }

  /** Puts a recovered log in the place of the manager's own, if there is one. May be repeated: each step is taken once. */
  finishRecovery(): void {
    const state = this.#read<SwarmState>("state.json");
    if (state?.recovery === undefined) return;
    const { recovery, ...next } = state;
    const path = join(this.#folder, recovery.recovered);
    if (existsSync(path)) {
      const aside = join(this.#folder, recovery.aside);
      if (existsSync(this.managerFolder)) renameSync(this.managerFolder, aside);
      renameSync(path, this.managerFolder);
      syncFolder(this.#folder);
    }
    this.saveState(next);
  }

  /** Ends the manager part's log for good, and keeps it for people to look at. @returns where it is now. */
  putManagerAside(suffix: string): string {
    const aside = `${this.managerFolder}.${suffix}`;
    renameSync(this.managerFolder, aside);
    syncFolder(this.#folder);
    return aside;
  }

  /** Forgets the swarm. The certificate first: without it nothing here counts. */
  removeAll(): void {
    rmSync(join(this.#folder, "certificates"), { recursive: true, force: true });
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #read<T>(name: string): T | undefined {
    const path = join(this.#folder, name);
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      const message = `cannot read ${path}: leave the swarm with --force and join again`;
      throw new ClusterError("DataLoss", message, { cause, details: { path } });
    }
  }

  /** @throws {ClusterError} `ResourceExhausted` or `DataLoss` when the disk fails: what was there before still is. */
  #write(name: string, value: unknown): void {
    try {
      this.#replace(join(this.#folder, name), value);
    } catch (cause) {
      throw diskFailed(`write ${name}`, { dir: this.#folder }, cause);
    }
  }

  #replace(path: string, value: unknown): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.tmp`;
    const fd = openSync(temporary, "w", 0o600);
    try {
      writeFileSync(fd, JSON.stringify(value));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  }
}

/** Makes the names in a folder durable. */
function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
