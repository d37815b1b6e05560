import { crc32 } from "node:zlib";

/** EqualHashAtEqualIndex: managers that have applied the same entry have the same state, and answered it the same. */
export class Agreement {
  readonly #violate: (what: string) => void;
  readonly #known = new Map<string, { readonly hash: number; readonly nodeId: string }>();
  #fingerprint = 0;

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  /** Of all that was compared, in order. */
  get fingerprint(): number {
    return this.#fingerprint;
  }

  compare(nodeId: string, index: number, what: string, hash: number): void {
    this.#fingerprint = crc32(`${nodeId}:${index}:${what}:${hash}`, this.#fingerprint);
    const key = `${what} ${index}`;
    const known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, { hash, nodeId });
    else if (known.hash !== hash) {
      this.#violate(
        `EqualHashAtEqualIndex: ${nodeId} has another ${what} at ${index} than ${known.nodeId}`,
      );
    }
  }
}
