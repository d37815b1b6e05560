import { ClusterError } from "./errors.ts";

/** ctrl-p, ctrl-q. */
const DEFAULT_KEYS = Uint8Array.of(16, 17);
const KEYS_MAX = 32;
const CONTROL = /^ctrl-([a-z@[\\\]^_])$/;
const CONTROL_MASK = 0x1f;
const DELETE = 127;

/**
 * Reads keys as clients send them: `ctrl-p,ctrl-q`, `q,q`; empty: the default ones.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words. Source: moby/term, ascii.go.
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === "") return DEFAULT_KEYS;
  const keys = text.split(",");
  const refusal = () => {
    const message = `Invalid detach keys (${text.slice(0, 100)}) provided`;
    return new ClusterError("InvalidArgument", message);
  };
  if (keys.length > KEYS_MAX) throw refusal();
  return Uint8Array.from(keys, (key) => {
    if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
    if (key === "DEL") return DELETE;
    const [, control] = CONTROL.exec(key) ?? [];
    if (control === undefined) throw refusal();
    return control.toUpperCase().charCodeAt(0) & CONTROL_MASK;
  });
}

/** Looks for the keys in what somebody types. What may be their beginning is held back until it is known. */
export class DetachScanner {
  readonly #keys: Uint8Array;
  /** Keys seen in a row. */
  #seen = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What of it is for the process, and whether the keys were in it: what follows them is for nobody. */
  scan(input: Uint8Array): { readonly data: Uint8Array; readonly detached: boolean } {
    const data: number[] = [];
    for (const byte of input) {
      // What was held back may itself end with a shorter beginning of the keys.
      while (this.#seen > 0 && byte !== this.#keys[this.#seen]) {
        const shorter = this.#shorter();
        data.push(...this.#keys.subarray(0, this.#seen - shorter));
        this.#seen = shorter;
      }
      if (byte === this.#keys[this.#seen]) this.#seen += 1;
      else data.push(byte);
      if (this.#seen === this.#keys.length) return { data: Uint8Array.from(data), detached: true };
    }
    return { data: Uint8Array.from(data), detached: false };
  }

  /** The longest proper beginning of the keys that the keys seen end with. */
  #shorter(): number {
    for (let length = this.#seen - 1; length > 0; length--) {
      const end = this.#keys.subarray(this.#seen - length, this.#seen);
      if (end.every((key, at) => key === this.#keys[at])) return length;
    }
    return 0;
  }
}
