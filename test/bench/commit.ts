import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type EtcdCluster, startEtcdCluster } from "../support/etcd.ts";
import type { LoadOptions, LoadResult } from "./commit/load.ts";
import type { LoadRequest } from "./commit/load-main.ts";
import { Managers, RUN_BUILT } from "./commit/managers.ts";
import { machine, median } from "./report.ts";

const run = promisify(execFile);
const LOAD = join(import.meta.dirname, "commit/load-main.ts");

const MEMBERS = 3;
const CLIENTS = (process.env.BENCH_CLIENTS ?? "1,64,1000").split(",").map(Number);
const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const WARM_UP_MS = 1500;
const MEASURE_MS = Number(process.env.BENCH_MS ?? 5000);
/** Muster's rate over etcd's must not be below this. */
const TARGET = 1;

/** What comes before all that counts. */
const BUSY = { clients: 64, warmUpMs: 0, measureMs: 5000 };

type Load = Omit<LoadOptions, "memberPids">;

interface Row {
  readonly clients: number;
  readonly ours: readonly LoadResult[];
  readonly peer: readonly LoadResult[];
}

/**
 * Writes of 256 bytes to three managers and to three etcd members on the same disk, in turn, everything synced: each
 * system by its network API, from a process of its own.
 */
export async function benchCommit(): Promise<void> {
  const etcd = await startEtcdCluster(MEMBERS);
  try {
    const managers = await Managers.start(MEMBERS);
    try {
      report(await measure(managers, etcd));
    } finally {
      await managers.close();
    }
  } finally {
    await etcd.close();
  }
}

async function measure(managers: Managers, etcd: EtcdCluster): Promise<Row[]> {
  const loadEtcd = async (options: Load): Promise<LoadResult> => {
    const memberPids = etcd.members.map(({ pid }) => pid ?? 0);
    const url = await findEtcdLeader(etcd.urls);
    return loadOnce({ ...options, system: "etcd", url, memberPids });
  };
  const loadMuster = async (options: Load): Promise<LoadResult> => {
    const { addr, certificate } = await managers.leader();
    const { pids: memberPids } = managers;
    return loadOnce({ ...options, system: "muster", addr, certificate, memberPids });
  };
  // Both have been up and busy for a while.
  for (const load of [loadEtcd, loadMuster]) await load(BUSY);

  const rows: Row[] = [];
  for (const clients of CLIENTS) {
    const ours: LoadResult[] = [];
    const peer: LoadResult[] = [];
    const times = { clients, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS };
    for (let i = 0; i < RUNS; i++) {
      peer.push(await loadEtcd(times));
      ours.push(await loadMuster(times));
    }
    rows.push({ clients, ours, peer });
  }
  return rows;
}

async function loadOnce(request: LoadRequest): Promise<LoadResult> {
  const args = [...RUN_BUILT, LOAD, JSON.stringify(request)];
  const { stdout } = await run(process.execPath, args, { timeout: 60_000 });
  return JSON.parse(stdout) as LoadResult;
}

/** By etcd's JSON gateway: a member says who it is and whom it takes for the leader. */
async function findEtcdLeader(urls: readonly string[]): Promise<string> {
  for (const url of urls) {
    const answer = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}" });
    const status = (await answer.json()) as { leader?: string; header?: { member_id?: string } };
    if (status.leader !== undefined && status.leader === status.header?.member_id) return url;
  }
  throw new Error("no etcd member leads");
}

function report(rows: readonly Row[]): void {
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, at) => cell.padEnd(at === 0 ? 10 : 17)).join("")}\n`;
  process.stdout.write(
    line(["clients", "system", "writes/s", "p50 ms", "p99 ms", "CPU µs/write", "ratio"]),
  );
  const summaries = rows.map(({ clients, ours, peer }) => {
    const summary = { clients, ours: summarize(ours), peer: summarize(peer) };
    return { ...summary, ratio: summary.ours.writesPerSecond / summary.peer.writesPerSecond };
  });
  for (const { clients, ours, peer, ratio } of summaries) {
    process.stdout.write(line([String(clients), "etcd", ...cells(peer)]));
    process.stdout.write(line(["", "muster", ...cells(ours), `${ratio.toFixed(2)} (≥ ${TARGET})`]));
  }
  process.stdout.write(
    `${JSON.stringify({ bench: "commit", machine: machine(), rows, summaries })}\n`,
  );
}

type Summary = Omit<LoadResult, "clients">;

/** The median of each figure over the runs. */
function summarize(results: readonly LoadResult[]): Summary {
  const of = (pick: (result: LoadResult) => number) => median(results.map(pick));
  return {
    writesPerSecond: of((result) => result.writesPerSecond),
    p50Ms: of((result) => result.p50Ms),
    p99Ms: of((result) => result.p99Ms),
    clientCpuUs: of((result) => result.clientCpuUs),
    membersCpuUs: of((result) => result.membersCpuUs),
  };
}

function cells({ writesPerSecond, p50Ms, p99Ms, clientCpuUs, membersCpuUs }: Summary): string[] {
  return [
    writesPerSecond.toFixed(0),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    `${membersCpuUs.toFixed(0)} + ${clientCpuUs.toFixed(0)}`,
  ];
}
