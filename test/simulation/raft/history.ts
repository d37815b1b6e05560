import { crc32 } from "node:zlib";
import type { StateMachine } from "../../../manager/log/replicated-log.ts";
import { checkLinearizable } from "../linearizability/checker.ts";
import { Recorder } from "../linearizability/recorder.ts";
import { narrowed, REGISTERS, type RegisterOp } from "../linearizability/register.ts";

/** What must hold however the network, the disks and the machines behave; told of everything that happens. */
export class History {
  readonly #hashes = new Map<number, number>();
  /** What clients asked and heard. */
  readonly clients = new Recorder<RegisterOp>();
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

  /** EqualHashAtEqualIndex: all members have the same state after the same entry. */
  onApplied(machine: number, index: number, hash: number): void {
    this.#fingerprint = crc32(`${machine}:${index}:${hash}`, this.#fingerprint);
    const known = this.#hashes.get(index);
    if (known === undefined) this.#hashes.set(index, hash);
    else if (known !== hash) {
      this.violate(`EqualHashAtEqualIndex: machine ${machine} has another state at index ${index}`);
    }
  }

  onAcknowledged(value: string, index: number): void {
    this.#acknowledged.set(value, index);
    this.#acknowledgedIndex = Math.max(this.#acknowledgedIndex, index);
  }

  /** Linearizable: some order of all that clients wrote and read explains what they heard. */
  checkLinearizable(): void {
    const verdict = checkLinearizable(REGISTERS, narrowed(this.clients.operations));
    if (verdict.kind === "linearizable") return;
    this.violate(`Linearizable: ${verdict.kind} for ${verdict.part}`);
  }

  /** AckedWritesDurable: every value acknowledged up to `lastIndex` is there, once, at the index its client was told. */
  checkDurable(machine: number, state: HashedState, lastIndex: number): void {
    for (const [value, index] of this.#acknowledged) {
      if (index > lastIndex) continue;
      const found = state.indexesOf(value);
      if (found.length !== 1 || found[0] !== index) {
        this.violate(
          `AckedWritesDurable: machine ${machine} has ${value} at [${found}], acknowledged at ${index}`,
        );
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

  /** The last value of a key; values are `key=…`. */
  read(key: string): string {
    return this.#entries.findLast(({ value }) => value.startsWith(`${key}=`))?.value ?? "";
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
