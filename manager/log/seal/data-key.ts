import { createHash, randomBytes } from "node:crypto";
import { assert } from "../../../core/assert.ts";

export const DATA_KEY_BYTES = 32;

/** What a manager's log is sealed with; of this manager alone. */
export interface DataKey {
  /** Tells keys apart and says nothing of their bytes; 16 hexadecimal digits. */
  readonly id: string;
  /** Secret; DATA_KEY_BYTES long. */
  readonly bytes: Uint8Array;
}

/** Where secret and unrepeatable bytes come from. */
export type RandomBytes = (count: number) => Uint8Array;

/** The key of these bytes. */
export function dataKeyOf(bytes: Uint8Array): DataKey {
  assert(bytes.length === DATA_KEY_BYTES, "a data key has 256 bits");
  const id = createHash("sha256").update("muster data key id").update(bytes).digest("hex");
  return { id: id.slice(0, 16), bytes };
}

/** A key never used before. */
export function newDataKey(random: RandomBytes = randomBytes): DataKey {
  return dataKeyOf(Uint8Array.from(random(DATA_KEY_BYTES)));
}

/**
 * The keys of one manager's log: new files are sealed with `current`; the others are there until no file under them is
 * left. Kept by the owner of the key file; what it holds is durable before it shows here.
 */
export interface DataKeys {
  readonly current: DataKey;
  /** The key of this id, the current one or an older one. */
  find(id: string): DataKey | undefined;
  /** For seeds and nonces. */
  readonly random: RandomBytes;
  /** Files in clear are read too: the directory is of a version that did not seal. */
  readonly readsClear: boolean;
  /** Whether there is anything to `retire`. */
  readonly isRotating: boolean;
  /** Calls back after each change of `current`. Returns how to stop it. */
  onChange(listener: () => void): () => void;
  /** No file under another key than `current` is left, nor one in clear: forget what could read them. */
  retire(): void;
}

/** A key that never changes. */
export function singleKey(key: DataKey, random: RandomBytes = randomBytes): DataKeys {
  return {
    current: key,
    random,
    find: (id) => (id === key.id ? key : undefined),
    readsClear: false,
    isRotating: false,
    onChange: () => () => undefined,
    retire: () => undefined,
  };
}
