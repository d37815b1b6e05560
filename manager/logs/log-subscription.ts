import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { LogMessages, LogOptions } from "../../proto/gen/control.ts";
import type { PublishedLogs } from "../../proto/gen/dispatcher.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import type { Said } from "../dispatcher/node-session.ts";
import { taskName } from "../endpoints/entries.ts";
import type { StoredTask } from "../store/objects.ts";
import type { Store } from "../store/store.ts";
import type { View } from "../store/tables.ts";
import { type LogSource, LogSources } from "./log-sources.ts";
import { MessageQueue } from "./message-queue.ts";

/** How often time limits are looked at. */
export const TICK_MS = 500;
/** Task ids in one request to a node. */
export const TASKS_PER_REQUEST_MAX = 1_000;
/** Tasks named in an error: it travels in a header. */
const MISSING_SHOWN_MAX = 10;

/** Whose logs: of all tasks of a service, or of one task. */
export type LogSelector =
  | { readonly kind: "service"; readonly serviceId: string }
  | { readonly kind: "task"; readonly taskId: string };

/** What a subscription needs of the dispatcher and the store. */
export interface LogSubscriptionDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** @returns whether the node is in session. */
  readonly tell: (nodeId: string, message: Said) => boolean;
}

/** One reader's log: asks the nodes, merges what they send, and ends when none owes anything more. */
export class LogSubscription {
  readonly id: string;
  readonly #selector: LogSelector;
  readonly #options: LogOptions;
  readonly #deps: LogSubscriptionDeps;
  readonly #sources = new LogSources();
  readonly #queue = new MessageQueue<LogMessages>();
  readonly #incomplete: string[] = [];
  readonly #asked = new Set<string>();
  #cancelTick: () => void = () => undefined;
  #closed = false;

  constructor(
    id: string,
    request: { readonly selector: LogSelector; readonly options: LogOptions },
    deps: LogSubscriptionDeps,
  ) {
    this.id = id;
    this.#selector = request.selector;
    this.#options = request.options;
    this.#deps = deps;
    this.#ask(this.#options);
    this.#settle();
    if (!this.#closed) this.#tick();
    if (!this.#closed && this.#options.follow) void this.#follow();
  }

  /** The messages as they come. @throws {ClusterError} `Unavailable` at the end, saying what is missing. */
  get messages(): AsyncIterable<LogMessages> {
    return this.#queue;
  }

  /** A part from a node. Resolves when there is room for the next. */
  async receive(nodeId: string, part: PublishedLogs): Promise<void> {
    this.#sources.onAnswer(nodeId);
    const messages = part.messages.filter(({ taskId }) => this.#sources.expects(taskId, nodeId));
    if (messages.length > 0) await this.#queue.push({ messages });
    for (const { taskId, err } of part.ended) this.#sources.onEnd(taskId, nodeId, err);
    this.#settle();
  }

  /** The node is gone, or its stream ended before its tasks did. */
  onNodeGone(nodeId: string, why: string): void {
    this.#sources.onNodeGone(nodeId, why);
    this.#settle();
  }

  /** Ends it. Nodes that still send are told to stop. */
  close(error?: ClusterError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTick();
    this.#queue.end(error);
    for (const nodeId of this.#asked) {
      this.#deps.tell(nodeId, { $case: "logCancel", value: { subscriptionId: this.id } });
    }
  }

  /** Asks the nodes of all tasks not asked for yet. */
  #ask(options: LogOptions): void {
    const view = this.#deps.store.view();
    const byNode = new Map<string, LogSource[]>();
    for (const task of selected(view, this.#selector)) {
      if (!hasContainer(task) || this.#sources.has(task.id)) continue;
      const source = describeSource(view, task);
      byNode.set(task.nodeId, [...(byNode.get(task.nodeId) ?? []), source]);
    }
    for (const [nodeId, sources] of byNode) this.#askNode(nodeId, sources, options);
  }

  #askNode(nodeId: string, sources: readonly LogSource[], options: LogOptions): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (let i = 0; i < sources.length; i += TASKS_PER_REQUEST_MAX) {
      const part = sources.slice(i, i + TASKS_PER_REQUEST_MAX);
      const taskIds = part.map(({ taskId }) => taskId);
      const value = { subscriptionId: this.id, taskIds, options };
      const inSession = this.#deps.tell(nodeId, { $case: "logSubscribe", value });
      if (inSession) this.#asked.add(nodeId);
      for (const source of part) this.#sources.add(source, inSession, nowMs);
    }
  }

  #tick(): void {
    this.#sources.tick(this.#deps.clock.monotonicMs());
    this.#settle();
    if (!this.#closed) this.#cancelTick = this.#deps.clock.after(TICK_MS, () => this.#tick());
  }

  /** Who follows hears of gaps as they happen; who does not, at the end. */
  #settle(): void {
    const missing = this.#sources.takeIncomplete();
    if (this.#options.follow && !this.#isOver()) {
      for (const sentence of missing) void this.#queue.push(notice(sentence));
      return;
    }
    this.#incomplete.push(...missing);
    if (!this.#sources.settled) return;
    this.close(incompleteness(this.#incomplete));
  }

  /** A log that is followed ends with the task it is about, or with the last task of a service that was removed. */
  #isOver(): boolean {
    return this.#sources.settled && !this.#mayGoOn();
  }

  #mayGoOn(): boolean {
    if (this.#selector.kind === "task") return false;
    const view = this.#deps.store.view();
    return view.services.get(this.#selector.serviceId) !== undefined;
  }

  /** Tasks that start later are followed too, from their first line. */
  async #follow(): Promise<void> {
    const cursor = this.#deps.store.watch();
    while (!this.#closed) {
      await Promise.race([cursor.ready(), this.#pause()]);
      const batch = cursor.take();
      const relevant = batch.kind === "resync" || batch.events.some(({ kind }) => kind === "task");
      if (relevant && !this.#closed) this.#ask({ ...this.#options, tail: -1 });
    }
    cursor.close();
  }

  /** So that a closed subscription lets go of its cursor although nothing happens in the store. */
  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#deps.clock.after(TICK_MS, resolve));
  }
}

function selected(view: View, selector: LogSelector): Iterable<StoredTask> {
  if (selector.kind === "service") return view.tasks.ofService(selector.serviceId);
  const task = view.tasks.get(selector.taskId);
  return task === undefined ? [] : [task];
}

/** Tasks that never got one have nothing to say. */
function hasContainer({ nodeId, status }: StoredTask): boolean {
  return nodeId !== "" && (status.state === TaskState.RUNNING || status.container !== undefined);
}

function describeSource(view: View, task: StoredTask): LogSource {
  const service = view.services.get(task.serviceId);
  return {
    taskId: task.id,
    taskName: service === undefined ? task.id : taskName(service, task),
    nodeId: task.nodeId,
    nodeName: view.nodes.get(task.nodeId)?.description?.hostname ?? task.nodeId,
  };
}

/** The error of a log of which something is missing; its text does not grow with what is. */
function incompleteness(missing: readonly string[]): ClusterError | undefined {
  if (missing.length === 0) return undefined;
  const shown = missing.slice(0, MISSING_SHOWN_MAX);
  if (missing.length > shown.length) shown.push(`and ${missing.length - shown.length} more`);
  return new ClusterError("Unavailable", `incomplete log stream: ${shown.join("; ")}`);
}

function notice(sentence: string): LogMessages {
  const message = {
    nodeId: "",
    serviceId: "",
    taskId: "",
    timestampMs: 0,
    timestamp: "",
    stderr: true,
    data: Buffer.from(`${sentence}\n`),
  };
  return { messages: [message] };
}
