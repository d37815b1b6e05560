import type { ChannelOptions, ClientWritableStream, ServiceError } from "@grpc/grpc-js";
import { type ChannelCredentials, Metadata } from "@grpc/grpc-js";
import type { Clock } from "../../../core/clock.ts";
import type { ClusterError } from "../../../core/errors.ts";
import { RaftClient, type RaftMessage } from "../../../proto/gen/raft.ts";
import { fromRpcError } from "../../../proto/rpc-status.ts";
import type { Message } from "../../../raft-ts/types.ts";
import { messageToProto } from "../raft-proto.ts";
import { Outbox } from "./outbox.ts";

/** After a stream broke the next one is tried no sooner. */
export const REOPEN_MS = 100;

/** A dead peer must be found while raft still waits, and a revived one at once (gRPC's own default is over a second). */
export const RAFT_CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 500,
  // A stream lives for ever: a retry buffer would grow for ever.
  "grpc.enable_retries": 0,
  "grpc.keepalive_time_ms": 2000,
  "grpc.keepalive_timeout_ms": 2000,
  // Snapshots and messages do not share a connection.
  "grpc.use_local_subchannel_pool": 1,
};

/** Where a link leads and how. */
export interface LinkTarget {
  readonly addr: string;
  readonly credentials: ChannelCredentials;
  readonly channelOptions: ChannelOptions;
}

export interface LinkEvents {
  /** Messages to the peer are being lost. */
  readonly onUnreachable: () => void;
  /** The peer ended the stream and said why; a connection that breaks says nothing. */
  readonly onRefused: (error: ClusterError) => void;
}

/** The stream to one peer, opened again whenever it breaks. */
export class PeerLink {
  readonly addr: string;
  readonly #hello: () => RaftMessage;
  readonly #client: RaftClient;
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  readonly #outbox = new Outbox();
  #stream: ClientWritableStream<RaftMessage> | undefined;
  #isBlocked = false;
  #openAgainAtMs = 0;
  #isClosed = false;

  constructor(target: LinkTarget, hello: () => RaftMessage, clock: Clock, events: LinkEvents) {
    this.addr = target.addr;
    this.#hello = hello;
    this.#clock = clock;
    this.#events = events;
    const options = { ...RAFT_CHANNEL_OPTIONS, ...target.channelOptions };
    this.#client = new RaftClient(target.addr, target.credentials, options);
  }

  /** Queues the message and sends what can be sent now. */
  send(message: Message): void {
    if (this.#isClosed) return;
    if (this.#outbox.push(message)) this.#events.onUnreachable();
    this.connect();
    this.#flush();
  }

  /** Opens the stream, which begins with our hello; nothing when it is open or broke a moment ago. */
  connect(): void {
    if (!this.#isClosed) this.#stream ??= this.#open();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#client.close();
  }

  #open(): ClientWritableStream<RaftMessage> | undefined {
    if (this.#clock.monotonicMs() < this.#openAgainAtMs) return undefined;
    // The server never ends a stream by itself: any end is a break.
    const stream = this.#client.messages(new Metadata(), (error) => this.#onBroken(stream, error));
    // The callback above tells of the same error.
    stream.on("error", () => undefined);
    stream.on("drain", () => {
      this.#isBlocked = false;
      this.#flush();
    });
    this.#isBlocked = false;
    stream.write(this.#hello());
    return stream;
  }

  #flush(): void {
    while (this.#stream !== undefined && !this.#isBlocked) {
      const message = this.#outbox.shift();
      if (message === undefined) return;
      this.#isBlocked = !this.#stream.write(messageToProto(message));
    }
  }

  #onBroken(stream: ClientWritableStream<RaftMessage>, error: ServiceError | null): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#openAgainAtMs = this.#clock.monotonicMs() + REOPEN_MS;
    this.#outbox.clear();
    if (this.#isClosed) return;
    this.#events.onUnreachable();
    if (error === null) return;
    const refusal = fromRpcError(error);
    if (refusal.details.unanswered !== true) this.#events.onRefused(refusal);
  }
}
