import { parseKeyed, parseNumber } from "./counters.ts";
import type { Controller } from "./layout.ts";

/** What the processes of a control group have used so far. What the kernel does not count is 0 or not there. */
export interface CgroupUsage {
  readonly cpu: {
    readonly totalNanos: number;
    readonly userNanos: number;
    readonly kernelNanos: number;
    /** Version 1 only. */
    readonly perCpuNanos: readonly number[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNanos: number;
  };
  readonly memory: {
    /** With the page cache. */
    readonly bytes: number;
    /** Version 1 only. */
    readonly highestBytes: number | undefined;
    readonly failures: number | undefined;
    /** Undefined: none. */
    readonly limitBytes: number | undefined;
    /** As the kernel's memory.stat has them. */
    readonly counters: ReadonlyMap<string, number>;
  };
  readonly pids: { readonly count: number; readonly limit: number | undefined };
  /** By device and direction. */
  readonly blockBytes: readonly BlockCount[];
  readonly blockOperations: readonly BlockCount[];
}

export interface BlockCount {
  readonly major: number;
  readonly minor: number;
  readonly op: "read" | "write";
  readonly value: number;
}

/** Gives a file's text; empty when there is none. */
export type ReadCounters = (controller: Controller, file: string) => string;

const NS_PER_US = 1000;
/** cpuacct.stat counts in USER_HZ, 100 on every Linux that Node runs on. */
const NS_PER_TICK = 10_000_000;

/** Source: kernel, cgroup-v1/{cpuacct,memory,blkio-controller}.rst and cgroup-v2.rst. */
export function readUsage(isV2: boolean, read: ReadCounters): CgroupUsage {
  const pids = {
    count: parseNumber(read("pids", "pids.current")) ?? 0,
    limit: parseNumber(read("pids", "pids.max")),
  };
  return isV2 ? { ...readV2(read), pids } : { ...readV1(read), pids };
}

function readV2(read: ReadCounters): Omit<CgroupUsage, "pids"> {
  const cpu = parseKeyed(read("cpu", "cpu.stat"));
  const nanos = (key: string) => (cpu.get(key) ?? 0) * NS_PER_US;
  const io = read("blkio", "io.stat");
  return {
    cpu: {
      totalNanos: nanos("usage_usec"),
      userNanos: nanos("user_usec"),
      kernelNanos: nanos("system_usec"),
      perCpuNanos: [],
      periods: cpu.get("nr_periods") ?? 0,
      throttledPeriods: cpu.get("nr_throttled") ?? 0,
      throttledNanos: nanos("throttled_usec"),
    },
    memory: {
      bytes: parseNumber(read("memory", "memory.current")) ?? 0,
      highestBytes: undefined,
      failures: undefined,
      limitBytes: parseNumber(read("memory", "memory.max")),
      counters: parseKeyed(read("memory", "memory.stat")),
    },
    blockBytes: parseIoStat(io, { read: "rbytes", write: "wbytes" }),
    blockOperations: parseIoStat(io, { read: "rios", write: "wios" }),
  };
}

function readV1(read: ReadCounters): Omit<CgroupUsage, "pids"> {
  const throttling = parseKeyed(read("cpu", "cpu.stat"));
  const ticks = parseKeyed(read("cpuacct", "cpuacct.stat"));
  const perCpu = read("cpuacct", "cpuacct.usage_percpu").trim();
  return {
    cpu: {
      totalNanos: parseNumber(read("cpuacct", "cpuacct.usage")) ?? 0,
      userNanos: (ticks.get("user") ?? 0) * NS_PER_TICK,
      kernelNanos: (ticks.get("system") ?? 0) * NS_PER_TICK,
      perCpuNanos: perCpu === "" ? [] : perCpu.split(/\s+/).map(Number),
      periods: throttling.get("nr_periods") ?? 0,
      throttledPeriods: throttling.get("nr_throttled") ?? 0,
      throttledNanos: throttling.get("throttled_time") ?? 0,
    },
    memory: {
      bytes: parseNumber(read("memory", "memory.usage_in_bytes")) ?? 0,
      highestBytes: parseNumber(read("memory", "memory.max_usage_in_bytes")),
      failures: parseNumber(read("memory", "memory.failcnt")),
      limitBytes: parseNumber(read("memory", "memory.limit_in_bytes")),
      counters: parseKeyed(read("memory", "memory.stat")),
    },
    blockBytes: parseBlkio(read("blkio", "blkio.throttle.io_service_bytes_recursive")),
    blockOperations: parseBlkio(read("blkio", "blkio.throttle.io_serviced_recursive")),
  };
}

/** Lines like `8:0 rbytes=1 wbytes=2 rios=3 wios=4`. */
function parseIoStat(
  text: string,
  keys: { readonly read: string; readonly write: string },
): BlockCount[] {
  return text.split("\n").flatMap((line) => {
    const [device = "", ...pairs] = line.split(" ");
    const numbers = parseKeyed(pairs.join("\n").replaceAll("=", " "));
    return (["read", "write"] as const).flatMap((op) => countOf(device, op, numbers.get(keys[op])));
  });
}

/** Lines like `8:0 Read 4096`. */
function parseBlkio(text: string): BlockCount[] {
  return text.split("\n").flatMap((line) => {
    const [device = "", word = "", value = ""] = line.split(" ");
    const op = word.toLowerCase();
    return op === "read" || op === "write" ? countOf(device, op, parseNumber(value)) : [];
  });
}

function countOf(device: string, op: BlockCount["op"], value: number | undefined): BlockCount[] {
  const [, major, minor] = /^(\d+):(\d+)$/.exec(device) ?? [];
  if (major === undefined || minor === undefined || value === undefined) return [];
  return [{ major: Number(major), minor: Number(minor), op, value }];
}
