/** What happened on this machine and in its swarm. */
export interface EventBackend {
  /**
   * Events in their order: kept ones since `sinceNs`, if given, then new ones, until `untilNs` or `signal` aborts.
   *
   * @throws {ClusterError} `ResourceExhausted` when its reader is too far behind.
   */
  events(query: EventQuery): AsyncIterable<EngineEvent>;
  /** What nobody used of one kind was removed. */
  pruned(type: "container" | "network" | "builder", reclaimedBytes: number): void;
}

export interface EventQuery {
  readonly sinceNs?: bigint | undefined;
  readonly untilNs?: bigint | undefined;
  readonly fits: (event: EngineEvent) => boolean;
  readonly signal: AbortSignal;
  /** Called when the reader is cut off, which may then be waiting for its client. */
  readonly onTooSlow: () => void;
}

export interface EngineEvent {
  /** `container`, `image`, `service`… */
  readonly type: string;
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly scope: "local" | "swarm";
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
}
