import { humanBytes, humanDiskSize } from "./human.ts";
import type { Row } from "./list.ts";

/** As much of Docker's stats as is shown. */
export interface WireStats {
  readonly name: string;
  readonly id: string;
  readonly cpu_stats: WireCpu;
  readonly precpu_stats: WireCpu;
  readonly memory_stats: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly pids_stats: { readonly current?: number };
  readonly blkio_stats: {
    readonly io_service_bytes_recursive: readonly { op: string; value: number }[] | null;
  };
  readonly networks?: Readonly<Record<string, { rx_bytes: number; tx_bytes: number }>>;
}

interface WireCpu {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

const ID_LENGTH = 12;
const WHOLE = 100;

/** One row of `muster stats`, as Docker computes it. Source: docker/cli, command/container/stats_helpers.go. */
export function usageRow(stats: WireStats, truncates: boolean): Row {
  const used = memoryBytes(stats);
  const { limit = 0 } = stats.memory_stats;
  const name = stats.name.replace(/^\//, "");
  const networks = Object.values(stats.networks ?? {});
  const received = sum(networks.map(({ rx_bytes }) => rx_bytes));
  const sent = sum(networks.map(({ tx_bytes }) => tx_bytes));
  return {
    Container: name,
    Name: name,
    ID: truncates ? stats.id.slice(0, ID_LENGTH) : stats.id,
    CPUPerc: percent(cpuShare(stats)),
    MemUsage: `${humanBytes(used)} / ${humanBytes(limit)}`,
    MemPerc: percent(limit === 0 ? 0 : used / limit),
    NetIO: `${humanDiskSize(received)} / ${humanDiskSize(sent)}`,
    BlockIO: `${humanDiskSize(blockBytes(stats, "r"))} / ${humanDiskSize(blockBytes(stats, "w"))}`,
    PIDs: String(stats.pids_stats.current ?? 0),
  };
}

/** 1 is one processor, all the time between the two moments. */
function cpuShare({ cpu_stats: now, precpu_stats: before }: WireStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  if (used <= 0 || passed <= 0 || before.system_cpu_usage === undefined) return 0;
  return (used / passed) * (now.online_cpus ?? 1);
}

/** Without the part of the page cache that can be had back at any time; the two cgroup versions name it differently. */
function memoryBytes({ memory_stats: { usage = 0, stats = {} } }: WireStats): number {
  const cache = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}

function blockBytes({ blkio_stats }: WireStats, direction: string): number {
  const counts = blkio_stats.io_service_bytes_recursive ?? [];
  return sum(
    counts.filter(({ op }) => op.toLowerCase().startsWith(direction)).map(({ value }) => value),
  );
}

function percent(share: number): string {
  return `${(share * WHOLE).toFixed(2)}%`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
