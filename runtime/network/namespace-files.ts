import { readdirSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import {
  isNamespace,
  prepareNamespaceDirectory,
  removeNamespace,
  removeNamespaceDirectory,
} from "../linux/netns.ts";
import { createSandboxNamespace } from "./sandbox-namespace.ts";

/**
 * Namespaces are given up together: while the kernel takes one apart, nobody can make interfaces, and taking twenty apart
 * together lasts as long as one. Until then an empty namespace keeps its interfaces, where nothing leads to.
 */
const SWEEP_DELAY_MS = 2000;

/** The directory in which namespaces have their names. */
export class NamespaceFiles {
  readonly #directory: string;
  readonly #clock: Clock;
  /** Ids of namespaces to be given up. */
  readonly #doomed = new Set<string>();
  #cancelSweep: (() => void) | undefined;

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
    prepareNamespaceDirectory(directory);
  }

  /** The file of a namespace. */
  path(id: string): string {
    return `${this.#directory}/${id}`;
  }

  has(id: string): boolean {
    return isNamespace(this.path(id));
  }

  /** Makes the namespace of a sandbox. */
  create(id: string): void {
    if (this.#doomed.has(id)) this.#sweep();
    createSandboxNamespace(this.path(id));
  }

  /** Removes a namespace, soon. */
  giveUp(id: string): void {
    this.#doomed.add(id);
    this.#cancelSweep ??= this.#clock.after(SWEEP_DELAY_MS, () => this.#sweep());
  }

  /** Removes namespaces that `known` does not name: half made ones. */
  removeOthers(known: ReadonlySet<string>): void {
    for (const id of readdirSync(this.#directory))
      if (!known.has(id)) removeNamespace(this.path(id));
  }

  /** Ends what is under way. */
  close(): void {
    this.#sweep();
  }

  /** Removes all namespaces and the directory. */
  removeAll(): void {
    for (const id of readdirSync(this.#directory)) removeNamespace(this.path(id));
    removeNamespaceDirectory(this.#directory);
  }

  #sweep(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const id of this.#doomed) removeNamespace(this.path(id));
    this.#doomed.clear();
  }
}
