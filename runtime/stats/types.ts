import type { CgroupUsage } from "../cgroup/usage.ts";

/** What a container has used by some moment. */
export interface UsageSample extends CgroupUsage {
  readonly atMs: number;
  /** The whole machine's processor time by then, all processors together. */
  readonly systemCpuNanos: number;
  readonly onlineCpus: number;
  /** Of the whole machine. */
  readonly machineMemoryBytes: number;
  /** By name of the interface; without the loopback. */
  readonly interfaces: ReadonlyMap<string, InterfaceCounters>;
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

/** Two moments of one container, by which rates are told. */
export interface UsagePair {
  /** Undefined: it does not run. */
  readonly current: UsageSample | undefined;
  /** Undefined: nobody looked a moment ago. */
  readonly previous: UsageSample | undefined;
}

/** What containers use, looked at while somebody asks. */
export interface ContainerUsage {
  /** Now. @throws {ClusterError} NotFound. */
  sample(id: string): UsagePair;
  /**
   * Now, and every second from then on. One who reads slowly is given the latest only. Ends when the container is removed or
   * `signal` aborts.
   *
   * @param onTooSlow called when the reader has missed too many: it is cut off.
   * @throws {ClusterError} NotFound; ResourceExhausted when too many follow it.
   */
  follow(
    id: string,
    options: { readonly signal: AbortSignal; readonly onTooSlow: () => void },
  ): AsyncGenerator<UsagePair>;
}
