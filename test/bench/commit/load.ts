import { readFileSync } from "node:fs";
import type { Driver } from "./driver.ts";

const VALUE_BYTES = 256;
/** The kernel's unit of a process's CPU time. */
const CLOCK_TICK_US = 10_000;

/** How to load a system. */
export interface LoadOptions {
  readonly clients: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Processes of the system's members. */
  readonly memberPids: readonly number[];
}

/** What came of it. */
export interface LoadResult {
  readonly clients: number;
  readonly writesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time for each write: of the load generator, and of all members together. */
  readonly clientCpuUs: number;
  readonly membersCpuUs: number;
}

/** Each client writes, waits for the acknowledgement, and writes again. What ends within the measured time counts. */
export async function load(driver: Driver, options: LoadOptions): Promise<LoadResult> {
  const { clients, warmUpMs, measureMs, memberPids } = options;
  await driver.prepare(clients);
  const startMs = performance.now() + warmUpMs;
  const endMs = startMs + measureMs;
  const latenciesMs: number[] = [];
  const runClient = async (client: number): Promise<void> => {
    for (let n = 0; ; n++) {
      const sentMs = performance.now();
      if (sentMs >= endMs) return;
      await driver.write(client, textOf(client, n));
      const doneMs = performance.now();
      if (sentMs >= startMs && doneMs < endMs) latenciesMs.push(doneMs - sentMs);
    }
  };
  const cpu = measureCpu(memberPids, warmUpMs, measureMs);
  await Promise.all(Array.from({ length: clients }, (_, client) => runClient(client)));
  const { ownUs, membersUs } = await cpu;
  driver.close();
  latenciesMs.sort((a, b) => a - b);
  const count = latenciesMs.length;
  const quantile = (share: number): number => latenciesMs[Math.floor(count * share)] ?? Number.NaN;
  return {
    clients,
    writesPerSecond: (count * 1000) / measureMs,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    clientCpuUs: ownUs / count,
    membersCpuUs: membersUs / count,
  };
}

/** No two values are equal. */
function textOf(client: number, n: number): string {
  return `${client}/${n}/`.padEnd(VALUE_BYTES, "v");
}

async function measureCpu(
  memberPids: readonly number[],
  afterMs: number,
  forMs: number,
): Promise<{ readonly ownUs: number; readonly membersUs: number }> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const before = { own: process.cpuUsage(), members: cpuOf(memberPids) };
  await new Promise((resolve) => setTimeout(resolve, forMs));
  const own = process.cpuUsage(before.own);
  return { ownUs: own.user + own.system, membersUs: cpuOf(memberPids) - before.members };
}

function cpuOf(pids: readonly number[]): number {
  const ofOne = (pid: number): number => {
    // The name in the second field may hold spaces; user and system time are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_US;
  };
  return pids.reduce((sum, pid) => sum + ofOne(pid), 0);
}
