import { type ErrorCode, errorCode, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { NodeDescription, NodeStatus, NodeTls } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { updateChange } from "../store/changes.ts";
import type { Proposer } from "../store/proposer.ts";

/** What the dispatcher knows of a node and the store should. */
export interface NodePatch {
  readonly status?: NodeStatus;
  readonly description?: NodeDescription;
  readonly tls?: NodeTls;
}

/** Codes after which trying again is of no use: we lead no more, and the next leader will hear it itself. */
const FINAL: readonly ErrorCode[] = ["Unavailable", "Cancelled"];

interface Report {
  readonly changes: readonly Change[];
  readonly onDone: (error: unknown) => void;
}

/**
 * What the dispatcher writes to the store, in groups: while one is on its way to the disks of the majority, the next
 * gathers. Bounded: one report a session, one patch a node.
 */
export class Proposals {
  readonly #proposer: Proposer;
  readonly #log: Log;
  readonly #nodes = new Map<string, NodePatch>();
  #reports: Report[] = [];
  #busy = false;
  #closed = false;

  constructor(proposer: Proposer, log: Log) {
    this.#proposer = proposer;
    this.#log = log;
  }

  /** The newest word on a node replaces what was not written yet. */
  node(nodeId: string, patch: NodePatch): void {
    this.#nodes.set(nodeId, { ...this.#nodes.get(nodeId), ...patch });
    this.#run();
  }

  /** @param onDone called with undefined when the changes are safe, else with why not. */
  report(changes: readonly Change[], onDone: (error: unknown) => void): void {
    this.#reports.push({ changes, onDone });
    this.#run();
  }

  /** Tries again what failed. */
  retry(): void {
    this.#run();
  }

  close(): void {
    this.#closed = true;
  }

  #run(): void {
    if (this.#busy || this.#closed) return;
    if (this.#nodes.size === 0 && this.#reports.length === 0) return;
    this.#busy = true;
    const nodes = [...this.#nodes];
    const reports = this.#reports;
    this.#nodes.clear();
    this.#reports = [];
    const nodeChanges = nodes.map(([id, patch]) => [
      updateChange("node", id, { ...patch }, { skipIfAbsent: true }),
    ]);
    const written = this.#proposer.proposeBatched([
      ...nodeChanges,
      ...reports.map((report) => report.changes),
    ]);
    written.then(
      () => this.#onWritten(reports, undefined),
      (error: unknown) => {
        this.#keep(nodes, error);
        this.#onWritten(reports, error);
      },
    );
  }

  #onWritten(reports: readonly Report[], error: unknown): void {
    this.#busy = false;
    if (this.#closed) return;
    for (const { onDone } of reports) onDone(error);
    if (error === undefined) this.#run();
  }

  /** Node states are not told again by anyone, so they stay here until `retry`. */
  #keep(nodes: readonly (readonly [string, NodePatch])[], error: unknown): void {
    this.#log.warn("cannot store what nodes report", {
      nodes: nodes.length,
      error: errorMessage(error),
    });
    if (FINAL.includes(errorCode(error))) return;
    for (const [id, patch] of nodes) if (!this.#nodes.has(id)) this.#nodes.set(id, patch);
  }
}
