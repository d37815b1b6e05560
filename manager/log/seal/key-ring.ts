import { randomBytes } from "node:crypto";
import { type DataKey, type DataKeys, newDataKey, type RandomBytes } from "./data-key.ts";

/** All keys a manager needs to read its log, as its key file keeps them. */
export interface KeySet {
  readonly current: DataKey;
  readonly older: readonly DataKey[];
  readonly readsClear: boolean;
}

/** The first key of a manager. @param readsClear its log is there already, written by a version that did not seal. */
export function newKeySet(readsClear: boolean, random: RandomBytes = randomBytes): KeySet {
  return { current: newDataKey(random), older: [], readsClear };
}

/** The keys of a running manager. Each change is durable before it shows: what can be on disk can be read. */
export class KeyRing implements DataKeys {
  readonly random: RandomBytes;
  readonly #save: (set: KeySet) => void;
  readonly #listeners = new Set<() => void>();
  #set: KeySet;

  /** @param save makes the set durable, or throws; it may call nothing here. */
  constructor(set: KeySet, save: (set: KeySet) => void, random: RandomBytes = randomBytes) {
    this.#set = set;
    this.#save = save;
    this.random = random;
  }

  get current(): DataKey {
    return this.#set.current;
  }

  get set(): KeySet {
    return this.#set;
  }

  get readsClear(): boolean {
    return this.#set.readsClear;
  }

  get isRotating(): boolean {
    return this.#set.readsClear || this.#set.older.length > 0;
  }

  find(id: string): DataKey | undefined {
    return [this.#set.current, ...this.#set.older].find((key) => key.id === id);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Draws the next key. The older ones stay until the log says that no file under them is left. */
  rotate(): void {
    const { current, older, readsClear } = this.#set;
    this.#keep({ current: newDataKey(this.random), older: [current, ...older], readsClear });
    for (const listener of this.#listeners) listener();
  }

  retire(): void {
    this.#keep({ current: this.#set.current, older: [], readsClear: false });
  }

  #keep(set: KeySet): void {
    this.#save(set);
    this.#set = set;
  }
}
