/** What this machine's containers use. Every call throws `NotFound` when there is no such container. */
export interface ContainerUsageBackend {
  /** Now. */
  sampleUsage(id: string): UsagePair;
  /**
   * Now, and every second from then on; ends when the container is removed or `signal` aborts.
   *
   * @param onTooSlow called when the reader has missed too many: it is cut off.
   * @throws `ResourceExhausted` when too many follow it.
   */
  followUsage(id: string, signal: AbortSignal, onTooSlow: () => void): AsyncIterable<UsagePair>;
}

/** Two moments of one container, by which rates are told. */
export interface UsagePair {
  /** Undefined: it does not run. */
  readonly current: UsageSample | undefined;
  /** Undefined: nobody looked a moment ago. */
  readonly previous: UsageSample | undefined;
}

/** What a container has used by some moment. */
export interface UsageSample {
  readonly atMs: number;
  readonly systemCpuNanos: number;
  readonly onlineCpus: number;
  readonly machineMemoryBytes: number;
  readonly cpu: {
    readonly totalNanos: number;
    readonly userNanos: number;
    readonly kernelNanos: number;
    /** Empty: not told apart. */
    readonly perCpuNanos: readonly number[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNanos: number;
  };
  readonly memory: {
    /** With the page cache. */
    readonly bytes: number;
    readonly highestBytes: number | undefined;
    readonly failures: number | undefined;
    /** Undefined: none. */
    readonly limitBytes: number | undefined;
    /** As the kernel's memory.stat has them. */
    readonly counters: ReadonlyMap<string, number>;
  };
  readonly pids: { readonly count: number; readonly limit: number | undefined };
  readonly blockBytes: readonly BlockCount[];
  readonly blockOperations: readonly BlockCount[];
  /** By name, without the loopback. */
  readonly interfaces: ReadonlyMap<string, InterfaceCounters>;
}

export interface BlockCount {
  readonly major: number;
  readonly minor: number;
  readonly op: "read" | "write";
  readonly value: number;
}

export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}
