import type { ServerReadableStream, sendUnaryData } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Random } from "../../core/random.ts";
import type { Empty, LogMessages, LogOptions } from "../../proto/gen/control.ts";
import type { PublishedLogs } from "../../proto/gen/dispatcher.ts";
import { rpcError } from "../../proto/rpc-status.ts";
import type { Said } from "../dispatcher/node-session.ts";
import type { Store } from "../store/store.ts";
import { type LogSelector, LogSubscription } from "./log-subscription.ts";

/** Logs read at once through one manager; each costs buffers on every node it reads from. */
export const SUBSCRIPTIONS_MAX = 256;

type PublishCall = ServerReadableStream<PublishedLogs, Empty>;

export interface LogBrokerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** Stands between those who read logs and the nodes that have them. Works while this manager leads. */
export class LogBroker {
  readonly #deps: LogBrokerDeps;
  readonly #subscriptions = new Map<string, LogSubscription>();
  #tell: ((nodeId: string, message: Said) => boolean) | undefined;

  constructor(deps: LogBrokerDeps) {
    this.#deps = deps;
  }

  /** @param tell says something to a node in session; the answer is whether it is. */
  lead(tell: (nodeId: string, message: Said) => boolean): void {
    this.#tell = tell;
  }

  /** Every reader is told to ask the next leader. */
  resign(): void {
    this.#tell = undefined;
    const reason = new ClusterError("Unavailable", "log stream ended: the leader changed");
    for (const subscription of this.#subscriptions.values()) subscription.close(reason);
  }

  /**
   * Reads logs until they end or `signal` fires.
   *
   * @throws {ClusterError} `Unavailable` when not leading, and at the end when something is missing (it says what);
   * `ResourceExhausted` past SUBSCRIPTIONS_MAX.
   */
  async *read(
    selector: LogSelector,
    options: LogOptions,
    signal: AbortSignal,
  ): AsyncGenerator<LogMessages> {
    const subscription = this.#subscribe(selector, options);
    const cancel = () => subscription.close();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      if (!signal.aborted) yield* subscription.messages;
    } finally {
      signal.removeEventListener("abort", cancel);
      subscription.close();
      this.#subscriptions.delete(subscription.id);
    }
  }

  /** The dispatcher's word on who is in session. */
  onPresence(nodeId: string, present: boolean): void {
    if (present) return;
    for (const one of this.#subscriptions.values()) one.onNodeGone(nodeId, "node is down");
  }

  /** Serves `PublishLogs`: reads no faster than the reader of the logs does. */
  receive(nodeId: string, call: PublishCall, callback: sendUnaryData<Empty>): void {
    this.#pump(nodeId, call).then(
      () => callback(null, {}),
      (error: unknown) => callback(rpcError(error)),
    );
  }

  async #pump(nodeId: string, call: PublishCall): Promise<void> {
    let subscription: LogSubscription | undefined;
    for await (const part of call as AsyncIterable<PublishedLogs>) {
      subscription ??= this.#subscriptions.get(part.subscriptionId);
      if (subscription?.id !== part.subscriptionId) {
        throw new ClusterError("NotFound", `nobody reads log subscription ${part.subscriptionId}`);
      }
      await subscription.receive(nodeId, part);
    }
  }

  #subscribe(selector: LogSelector, options: LogOptions): LogSubscription {
    const { store, clock, random } = this.#deps;
    const tell = this.#tell;
    if (tell === undefined) {
      throw new ClusterError("Unavailable", "cannot read logs: this manager is not the leader");
    }
    if (this.#subscriptions.size >= SUBSCRIPTIONS_MAX) {
      const message = `cannot read logs: ${SUBSCRIPTIONS_MAX} readers are served already`;
      throw new ClusterError("ResourceExhausted", message);
    }
    const subscription = new LogSubscription(
      newId(random),
      { selector, options },
      { store, clock, tell },
    );
    this.#subscriptions.set(subscription.id, subscription);
    return subscription;
  }
}
