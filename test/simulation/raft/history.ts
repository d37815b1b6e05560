import { crc32 } from "node:zlib";
import type { StateMachine } from "../../../manager/log/replicated-log.ts";

/** What must hold however the network, the disks and the machines behave; told of everything that happens. */
export class History {
  readonly #hashes = new Map<number, number>();
  readonly #leaders = new Map<number, number>();
  readonly #acknowledged = new Map<string, number>();
  #acknowledgedIndex = 0;
  #violation: string | undefined;
  #fingerprint = 0;

  /** The first promise that was broken. */
  get violation(): string | undefined {
    return this.#violation;
  }

  /** The greatest index any client was told of. */
  get acknowledgedIndex(): number {
    return this.#acknowledgedIndex;
  }

  /** Of all that was applied anywhere, in order. */
  get fingerprint(): number {
    return this.#fingerprint;
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  violate(what: string): void {
    this.#violation ??= what;
  }

  /** State machine safety: all members have the same state after the same entry. Source: Raft paper, Figure 3. */
  onApplied(machine: number, index: number, hash: number): void {
    this.#fingerprint = crc32(`${machine}:${index}:${hash}`, this.#fingerprint);
    const known = this.#hashes.get(index);
    if (known === undefined) this.#hashes.set(index, hash);
    else if (known !== hash) this.violate(`machine ${machine} has another state at index ${index}`);
  }

  /** Election safety: at most one leader in a term. Source: Raft paper, Figure 3. */
  onLeads(machine: number, term: number): void {
    const known = this.#leaders.get(term) ?? machine;
    this.#leaders.set(term, known);
    if (known !== machine) this.violate(`${known} and ${machine} both lead in term ${term}`);
  }

  onAcknowledged(value: string, index: number): void {
    this.#acknowledged.set(value, index);
    this.#acknowledgedIndex = Math.max(this.#acknowledgedIndex, index);
  }

  /** Linearizability of reads: what was acknowledged before the question is applied at the answer. */
  onRead(machine: number, askedAtIndex: number, appliedIndex: number): void {
    if (appliedIndex < askedAtIndex) {
      this.violate(
        `machine ${machine} read at ${appliedIndex} what was acknowledged at ${askedAtIndex}`,
      );
    }
  }

  /** Durability: every value acknowledged up to `lastIndex` is there, once, at the index its client was told. */
  checkDurable(machine: number, state: HashedState, lastIndex: number): void {
    for (const [value, index] of this.#acknowledged) {
      if (index > lastIndex) continue;
      const found = state.indexesOf(value);
      if (found.length !== 1 || found[0] !== index) {
        this.violate(`machine ${machine} has ${value} at [${found}], acknowledged at ${index}`);
      }
    }
  }
}

/** So that a snapshot has several parts. */
const ENTRIES_PER_PART = 50;

/** A list of values with a hash over all of them; tells the history of each step. */
export class HashedState implements StateMachine {
  readonly #machine: number;
  readonly #history: History;
  #entries: { readonly index: number; readonly value: string }[] = [];
  #hash = 0;

  constructor(machine: number, history: History) {
    this.#machine = machine;
    this.#history = history;
  }

  /** Of the last value. */
  get index(): number {
    return this.#entries.at(-1)?.index ?? 0;
  }

  indexesOf(value: string): number[] {
    return this.#entries.filter((entry) => entry.value === value).map(({ index }) => index);
  }

  apply(index: number, data: Uint8Array): unknown {
    this.#add(index, Buffer.from(data).toString());
    return index;
  }

  *snapshot(): Iterable<Uint8Array> {
    for (let at = 0; at < this.#entries.length; at += ENTRIES_PER_PART) {
      const entries = this.#entries.slice(at, at + ENTRIES_PER_PART);
      yield Buffer.from(JSON.stringify(entries));
    }
  }

  restore(_index: number, parts: Iterable<Uint8Array>): void {
    this.#entries = [];
    this.#hash = 0;
    for (const part of parts) {
      for (const { index, value } of JSON.parse(Buffer.from(part).toString()))
        this.#add(index, value);
    }
  }

  #add(index: number, value: string): void {
    this.#entries.push({ index, value });
    this.#hash = crc32(`${index}:${value}`, this.#hash);
    this.#history.onApplied(this.#machine, index, this.#hash);
  }
}
