import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { LogSubscribe } from "../../proto/gen/dispatcher.ts";
import type { Containers } from "../../runtime/container/types.ts";
import type { LogClient } from "../session/wire.ts";
import type { TaskModel } from "../tasks/task-model.ts";
import { BatchSender } from "./batch-sender.ts";
import { logQuery, taskLog } from "./log-source.ts";

/** Log streams one worker serves at once; past it a subscription is answered with why. */
export const SUBSCRIPTIONS_MAX = 64;

/** Sends the logs of this node's tasks to whoever of the managers asked. */
export class LogPublisher {
  readonly #containers: Containers;
  readonly #findTask: (taskId: string) => TaskModel | undefined;
  readonly #log: Log;
  /** By subscription: one subscription may ask again, for tasks that came later. */
  readonly #running = new Map<string, Set<AbortController>>();

  constructor(
    containers: Containers,
    findTask: (taskId: string) => TaskModel | undefined,
    log: Log,
  ) {
    this.#containers = containers;
    this.#findTask = findTask;
    this.#log = log;
  }

  subscribe(client: LogClient, request: LogSubscribe): void {
    const abort = new AbortController();
    const running = this.#running.get(request.subscriptionId) ?? new Set();
    running.add(abort);
    this.#running.set(request.subscriptionId, running);
    this.#publish(client, request, abort)
      .catch((error: unknown) => {
        const { subscriptionId } = request;
        this.#log.debug("log stream ended early", { subscriptionId, error: errorMessage(error) });
      })
      .finally(() => {
        running.delete(abort);
        if (running.size === 0) this.#running.delete(request.subscriptionId);
      });
  }

  cancel(subscriptionId: string): void {
    for (const abort of this.#running.get(subscriptionId) ?? []) abort.abort();
  }

  /** The session is over: nobody listens. */
  cancelAll(): void {
    for (const subscriptionId of [...this.#running.keys()]) this.cancel(subscriptionId);
  }

  async #publish(client: LogClient, request: LogSubscribe, abort: AbortController): Promise<void> {
    const stream = client.publishLogs(() => abort.abort());
    stream.on("error", () => abort.abort());
    abort.signal.addEventListener("abort", () => stream.cancel(), { once: true });
    const sender = new BatchSender(stream, request.subscriptionId, abort.signal);
    sender.open();
    if (this.#running.size > SUBSCRIPTIONS_MAX) {
      const err = `this node serves ${SUBSCRIPTIONS_MAX} log streams already`;
      for (const taskId of request.taskIds) sender.end(taskId, err);
    } else {
      await Promise.all(
        request.taskIds.map((taskId) => this.#copy(taskId, request, sender, abort.signal)),
      );
    }
    await sender.finish();
  }

  async #copy(
    taskId: string,
    request: LogSubscribe,
    sender: BatchSender,
    signal: AbortSignal,
  ): Promise<void> {
    const task = this.#findTask(taskId);
    if (task === undefined || request.options === undefined) {
      sender.end(taskId, "the node does not know this task");
      return;
    }
    try {
      for await (const message of taskLog(
        this.#containers,
        task,
        logQuery(request.options, signal),
      )) {
        await sender.add(message);
      }
      sender.end(taskId, "");
    } catch (error) {
      sender.end(taskId, errorMessage(error));
    }
  }
}
