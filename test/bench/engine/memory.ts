import { readdirSync, readFileSync } from "node:fs";

const KIB_PER_MIB = 1024;

/** What the processes of a daemon hold, MiB. */
export interface Memory {
  /** Pages in memory; shared ones count for each process. */
  readonly rssMiB: number;
  /** The same with each page divided by the number of processes that share it. */
  readonly pssMiB: number;
}

/** Of all processes whose command line names the folder: the daemon and what it has started per container, not what runs inside. */
export function memoryOf(folder: string): Memory {
  let rssKib = 0;
  let pssKib = 0;
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const rollup = readRollup(pid, folder);
    rssKib += kib(rollup, "Rss");
    pssKib += kib(rollup, "Pss");
  }
  return { rssMiB: rssKib / KIB_PER_MIB, pssMiB: pssKib / KIB_PER_MIB };
}

function readRollup(pid: string, folder: string): string {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder)) return "";
    return readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  } catch {
    // It has ended.
    return "";
  }
}

function kib(rollup: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
}
