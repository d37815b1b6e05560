import type { InterfaceCounters, UsagePair, UsageSample } from "../../backends/container-usage.ts";
import { maybe, omitEmpty, wireTime } from "../common.ts";

/** Of cgroup version 1 alone; its clients tell the versions apart by them. */
const NO_BLOCK_COUNTERS = {
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

/**
 * One answer of `/containers/{id}/stats`; one of a container that does not run is all zeros, as Docker's.
 *
 * Source: docker-engine-api-v1.51.yaml, ContainerStatsResponse; moby, daemon/stats_unix.go.
 */
export function writeStats(
  { id, name }: { readonly id: string; readonly name: string },
  { current, previous }: UsagePair,
): Record<string, unknown> {
  return {
    name: `/${name}`,
    id,
    read: wireTime(current?.atMs ?? 0),
    preread: wireTime(previous?.atMs ?? 0),
    pids_stats: omitEmpty({ current: current?.pids.count, limit: current?.pids.limit }),
    blkio_stats: writeBlock(current),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: writeCpu(current),
    precpu_stats: writeCpu(previous),
    memory_stats: current === undefined ? {} : writeMemory(current),
    ...(current === undefined || current.interfaces.size === 0
      ? {}
      : { networks: writeNetworks(current.interfaces) }),
  };
}

function writeCpu(sample: UsageSample | undefined): Record<string, unknown> {
  const { cpu } = sample ?? {};
  return {
    cpu_usage: {
      total_usage: cpu?.totalNanos ?? 0,
      usage_in_kernelmode: cpu?.kernelNanos ?? 0,
      usage_in_usermode: cpu?.userNanos ?? 0,
      ...omitEmpty({ percpu_usage: cpu?.perCpuNanos }),
    },
    ...omitEmpty({ system_cpu_usage: sample?.systemCpuNanos, online_cpus: sample?.onlineCpus }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: cpu?.throttledNanos ?? 0,
    },
  };
}

/** Without a limit of its own, or with one that nobody can come to, the machine's memory is the limit. */
function writeMemory({ memory, machineMemoryBytes }: UsageSample): Record<string, unknown> {
  const { bytes, highestBytes, failures, limitBytes, counters } = memory;
  return {
    usage: bytes,
    ...omitEmpty({ max_usage: highestBytes, failcnt: failures }),
    stats: Object.fromEntries([...counters].filter(([, count]) => Number.isSafeInteger(count))),
    limit: Math.min(limitBytes ?? machineMemoryBytes, machineMemoryBytes),
  };
}

function writeBlock(sample: UsageSample | undefined): Record<string, unknown> {
  return {
    io_service_bytes_recursive: maybe(sample, ({ blockBytes }) => blockBytes) ?? null,
    io_serviced_recursive: maybe(sample, ({ blockOperations }) => blockOperations) ?? null,
    ...NO_BLOCK_COUNTERS,
  };
}

function writeNetworks(
  interfaces: ReadonlyMap<string, InterfaceCounters>,
): Record<string, Record<string, number>> {
  const entries = [...interfaces].map(([name, counters]): [string, Record<string, number>] => [
    name,
    {
      rx_bytes: counters.rxBytes,
      rx_packets: counters.rxPackets,
      rx_errors: counters.rxErrors,
      rx_dropped: counters.rxDropped,
      tx_bytes: counters.txBytes,
      tx_packets: counters.txPackets,
      tx_errors: counters.txErrors,
      tx_dropped: counters.txDropped,
    },
  ]);
  return Object.fromEntries(entries);
}
