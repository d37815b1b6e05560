import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { NodeRecord, SandboxRecord } from "../../proto/gen/data_plane_state.ts";
import { EndpointTable } from "../../proto/gen/endpoints.ts";

/** The generated messages' way to bytes and back. */
interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

const TEMPORARY_SUFFIX = ".new";

/**
 * What the next daemon must know to take over: who the node is, its tables and sandboxes.
 *
 * Lives below the exec root, like the kernel state it describes: a power cut ends both, so nothing is flushed to disk.
 */
export class StateFiles {
  readonly #root: string;
  readonly #log: Log;

  /** @param root a directory of ours alone. */
  constructor(root: string, log: Log) {
    this.#root = root;
    this.#log = log;
    for (const directory of ["tables", "sandboxes"])
      mkdirSync(`${root}/${directory}`, { recursive: true, mode: 0o700 });
  }

  findNode(): NodeRecord | undefined {
    return this.#read("node", NodeRecord);
  }

  putNode(node: NodeRecord): void {
    this.#write("node", NodeRecord.encode(node).finish());
  }

  tables(): EndpointTable[] {
    return this.#readAll("tables", EndpointTable);
  }

  putTable(table: EndpointTable): void {
    this.#write(`tables/${table.networkId}`, EndpointTable.encode(table).finish());
  }

  removeTable(networkId: string): void {
    rmSync(`${this.#root}/tables/${networkId}`, { force: true });
  }

  sandboxes(): SandboxRecord[] {
    return this.#readAll("sandboxes", SandboxRecord);
  }

  putSandbox(record: SandboxRecord): void {
    this.#write(`sandboxes/${record.id}`, SandboxRecord.encode(record).finish());
  }

  removeSandbox(id: string): void {
    rmSync(`${this.#root}/sandboxes/${id}`, { force: true });
  }

  /** Removes all of it. */
  removeAll(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #readAll<T>(directory: string, codec: Codec<T>): T[] {
    const names = readdirSync(`${this.#root}/${directory}`);
    return names
      .filter((name) => !name.endsWith(TEMPORARY_SUFFIX))
      .flatMap((name) => this.#read(`${directory}/${name}`, codec) ?? []);
  }

  /** A file that cannot be read stands for nothing: the managers send tables again, sandboxes are made again. */
  #read<T>(name: string, codec: Codec<T>): T | undefined {
    const path = `${this.#root}/${name}`;
    if (!existsSync(path)) return undefined;
    try {
      return codec.decode(readFileSync(path));
    } catch (error) {
      this.#log.warn("state file is damaged, doing without", { path, reason: errorMessage(error) });
      rmSync(path, { force: true });
      return undefined;
    }
  }

  #write(name: string, bytes: Uint8Array): void {
    const path = `${this.#root}/${name}`;
    writeFileSync(path + TEMPORARY_SUFFIX, bytes, { mode: 0o600 });
    renameSync(path + TEMPORARY_SUFFIX, path);
  }
}
