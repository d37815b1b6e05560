import type { ClusterError } from "../../core/errors.ts";
import type {
  DispatcherClient,
  ManagerMessage,
  WorkerMessage,
} from "../../proto/gen/dispatcher.ts";

/** What a worker says in a session. */
export type Sent = NonNullable<WorkerMessage["kind"]>;

/** The worker's end of a conversation with one manager; grpc-wire.ts is the real one, the simulation has its own. */
export interface Wire {
  /** In order, or not at all once it has ended. */
  send(message: Sent): void;
  /** For the streams beside the session: they go to the same manager over the same connection. */
  readonly logs: LogClient;
  /** Ends it from this side. Idempotent; `onEnd` need not be called after it. */
  close(): void;
}

export type LogClient = Pick<DispatcherClient, "publishLogs">;

/** What is heard over a wire; never inside the call that dials. */
export interface WireEvents {
  onMessage(message: ManagerMessage): void;
  /** It is over, for this reason. */
  onEnd(reason: ClusterError): void;
}

/** Turns to the manager at `addr`; returns at once, whether anybody answers shows later. */
export type Dial = (addr: string, events: WireEvents) => Wire;
