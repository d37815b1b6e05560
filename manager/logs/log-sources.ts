/** A node that was asked for logs and has said nothing by then is not waited for. */
export const ANSWER_TIMEOUT_MS = 5_000;

/** A task whose log is wanted. */
export interface LogSource {
  readonly taskId: string;
  /** `web.1.<task id>`, for messages. */
  readonly taskName: string;
  readonly nodeId: string;
  readonly nodeName: string;
}

interface Progress {
  readonly source: LogSource;
  readonly askedMs: number;
  answered: boolean;
}

/**
 * Keeps account of one subscription: which tasks still owe us something, and what will be missing (FAILURES R16).
 *
 * Invariant: every source leaves the open ones, by its end, its error, its node's end or the time limit; so a
 * subscription that does not follow always ends.
 */
export class LogSources {
  readonly #open = new Map<string, Progress>();
  readonly #seen = new Set<string>();
  readonly #incomplete: string[] = [];

  /** Whether this task was asked for before. */
  has(taskId: string): boolean {
    return this.#seen.has(taskId);
  }

  /** @returns whether its node is to be asked; otherwise it is noted as missing. */
  add(source: LogSource, nodeInSession: boolean, nowMs: number): boolean {
    this.#seen.add(source.taskId);
    if (nodeInSession) {
      this.#open.set(source.taskId, { source, askedMs: nowMs, answered: false });
    } else {
      this.#miss(source, "node is down");
    }
    return nodeInSession;
  }

  /** Its node has begun to answer. */
  onAnswer(nodeId: string): void {
    for (const progress of this.#open.values()) {
      if (progress.source.nodeId === nodeId) progress.answered = true;
    }
  }

  /** @param err why it ended early, or empty. Ends of tasks of another node than `nodeId` are not believed. */
  onEnd(taskId: string, nodeId: string, err: string): void {
    const progress = this.#open.get(taskId);
    if (progress?.source.nodeId !== nodeId) return;
    this.#open.delete(taskId);
    if (err !== "") this.#miss(progress.source, err);
  }

  /** Whether a message of this task from this node is expected. */
  expects(taskId: string, nodeId: string): boolean {
    return this.#open.get(taskId)?.source.nodeId === nodeId;
  }

  /** The node's session, or its log stream, ended. */
  onNodeGone(nodeId: string, why: string): void {
    for (const [taskId, { source }] of this.#open) {
      if (source.nodeId === nodeId) this.onEnd(taskId, nodeId, why);
    }
  }

  tick(nowMs: number): void {
    for (const [taskId, { source, askedMs, answered }] of this.#open) {
      if (answered || nowMs - askedMs <= ANSWER_TIMEOUT_MS) continue;
      this.onEnd(taskId, source.nodeId, `no answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
    }
  }

  /** Whether nobody owes us anything. */
  get settled(): boolean {
    return this.#open.size === 0;
  }

  /** What will be missing, one sentence each, since the last call. */
  takeIncomplete(): string[] {
    return this.#incomplete.splice(0);
  }

  #miss({ taskName, nodeName }: LogSource, why: string): void {
    this.#incomplete.push(`logs of task ${taskName} on node ${nodeName} are incomplete: ${why}`);
  }
}
