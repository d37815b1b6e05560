import { silentLog } from "../../../core/log.ts";
import { seededRandom } from "../../../core/random.ts";
import type { LogDisk } from "../../../manager/log/disk/log-disk.ts";
import { openRaftLog } from "../../../manager/log/raft-log.ts";
import type { ReplicatedLog } from "../../../manager/log/replicated-log.ts";
import type { DataKeys } from "../../../manager/log/seal/data-key.ts";
import { MemoryNetwork } from "../../../manager/log/transport/memory-network.ts";
import { FakeClock } from "../fake-clock.ts";
import { ListState } from "./list-state.ts";

const TURNS_MAX = 5000;

/** The log of the only manager of a swarm. No time passes: it does what it does in turns of the event loop. */
export interface LoneManager {
  readonly log: ReplicatedLog;
  readonly state: ListState;
  /** What it stopped for. */
  readonly fatal: readonly unknown[];
}

/** Small segments and frequent snapshots, so that few entries see them all. */
export async function openLoneManager(
  disk: LogDisk,
  keys: DataKeys | undefined,
): Promise<LoneManager> {
  const state = new ListState();
  const fatal: unknown[] = [];
  const clock = new FakeClock();
  const log = await openRaftLog({
    dir: "",
    ...{ raftId: 1, nodeId: "one", addr: "10.0.0.1:4242" },
    start: "bootstrap",
    stateMachine: state,
    transport: new MemoryNetwork(clock).transport(1),
    clock,
    random: seededRandom(1),
    log: silentLog,
    keys,
    onFatal: (error) => fatal.push(error),
    segmentBytes: 1024,
    snapshotInterval: 12,
    entriesKept: 2,
    disk,
  });
  return { log, state, fatal };
}

/** Proposes entries one after the other; calls back with how many are acknowledged. */
export async function proposeUpTo(
  { log }: LoneManager,
  { from, to }: { readonly from: number; readonly to: number },
  onAcknowledged: (count: number) => void = () => undefined,
): Promise<void> {
  for (let number = from; number <= to; number++) {
    await log.propose(Buffer.from(entryText(number)));
    onAcknowledged(number);
  }
}

export function entryText(number: number): string {
  return `entry ${number}, ${"x".repeat(40)}`;
}

/** What is to happen happens within so many turns of the event loop. */
export async function turnsUntil(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`it did not happen: ${what}`);
}
