/** What kinds of things events are about; the words of Docker's clients. */
export type EventType =
  | "container"
  | "image"
  | "volume"
  | "network"
  | "daemon"
  | "builder"
  | "service"
  | "node"
  | "secret"
  | "config";

/** Something that happened, as it is published. */
export interface NewEngineEvent {
  readonly type: EventType;
  /** `pull`, `start`, `die`; a verb of Docker's for this type. */
  readonly action: string;
  /** The id of what it happened to; of an image the name it was asked by. */
  readonly actorId: string;
  /** `name`, `image`, `exitCode` and the object's labels. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Default: this machine. */
  readonly scope?: "local" | "swarm";
}

/** The same with its time. */
export interface EngineEvent extends NewEngineEvent {
  readonly scope: "local" | "swarm";
  /** Nanoseconds since 1970; later events have greater ones, also when the clock goes back. */
  readonly timeNs: bigint;
}

/** Which events a reader wants. */
export interface EventQuery {
  /** Replays kept events from this time on; undefined: only new ones. */
  readonly sinceNs?: bigint | undefined;
  /** Ends with the last event that is not later; undefined: goes on. */
  readonly untilNs?: bigint | undefined;
  /** Events that do not fit are not queued; undefined: all. */
  readonly fits?: ((event: EngineEvent) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when the reader is cut off: it may be waiting for a client and not ask for its next event ever again. */
  readonly onTooSlow?: (() => void) | undefined;
}

/** Where parts of this machine say what happened. */
export interface EventSink {
  /** Never throws and never waits: who publishes is in the middle of its work. */
  publish(event: NewEngineEvent): void;
}
