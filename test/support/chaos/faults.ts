import type { Cluster } from "../cluster/cluster.ts";
import type { TestNode } from "../cluster/test-node.ts";
import { eventually } from "../eventually.ts";
import type { Direction, Fault } from "./plan.ts";
import type { SmallDisk } from "./small-disk.ts";

/** One write to the log is so large that a few fill what was set aside ahead. */
const BULK_BYTES = 240 * 1024;
const BULK_WRITES_MAX = 200;
const STOP_ON_FULL_DISK_MS = 20_000;

/** Where faults strike. */
export interface FaultPlace {
  readonly cluster: Cluster;
  readonly victim: TestNode;
  readonly disks: ReadonlyMap<TestNode, SmallDisk>;
  /** Looks at what must hold while the fault lasts. */
  readonly beforeHeal: () => Promise<void>;
}

/** Strikes, holds for as long as the fault says, heals. @throws when the victim does not do what it must. */
export async function strike(fault: Fault, place: FaultPlace): Promise<void> {
  switch (fault.kind) {
    case "kill":
      return kill([place.victim], place, fault.forMs);
    case "blackout":
      return kill(place.cluster.managers, place, fault.forMs);
    case "pause":
      return pause(place, fault.forMs);
    case "partition":
      return partition(place, fault.direction, fault.forMs);
    case "fullDisk":
      return fullDisk(place);
  }
}

async function kill(
  victims: readonly TestNode[],
  { beforeHeal }: FaultPlace,
  forMs: number,
): Promise<void> {
  await Promise.all(victims.map((victim) => victim.kill("SIGKILL")));
  await hold(forMs);
  await beforeHeal();
  await Promise.all(victims.map((victim) => victim.start()));
}

async function pause({ victim, beforeHeal }: FaultPlace, forMs: number): Promise<void> {
  victim.signal("SIGSTOP");
  try {
    await hold(forMs);
  } finally {
    victim.signal("SIGCONT");
  }
  await beforeHeal();
}

async function partition(
  { cluster, victim, beforeHeal }: FaultPlace,
  direction: Direction,
  forMs: number,
): Promise<void> {
  const { lab } = cluster;
  const others = lab.hosts.filter((host) => host !== victim.host);
  const pairs = others.flatMap((other) => [
    ...(direction === "in" ? [] : [[victim.host, other] as const]),
    ...(direction === "out" ? [] : [[other, victim.host] as const]),
  ]);
  await Promise.all(pairs.map(([from, to]) => lab.drop(from, to)));
  try {
    await hold(forMs);
    await beforeHeal();
  } finally {
    await Promise.all(pairs.map(([from, to]) => lab.undrop(from, to)));
  }
}

/** Its daemon must end with an error that names the directory; with room again it starts and catches up. */
async function fullDisk({ cluster, victim, disks, beforeHeal }: FaultPlace): Promise<void> {
  const disk = disks.get(victim);
  if (disk === undefined) throw new Error(`${victim.name} has no disk of its own`);
  disk.fill();
  try {
    await writeUntilEnded(cluster, victim);
    if (victim.exitCode === 0) throw new Error(`${victim.name} ended with 0 on a full disk`);
    const said = victim.logTail(40);
    if (!/ENOSPC|no space left/i.test(said) || !said.includes(victim.dataRoot))
      throw new Error(`${victim.name} does not say which disk is full:\n${said}`);
    await beforeHeal();
  } finally {
    disk.free();
  }
  await victim.start();
}

async function writeUntilEnded(cluster: Cluster, victim: TestNode): Promise<void> {
  const hasEnded = () => victim.pid === undefined;
  let written = 0;
  let error = "";
  for (let i = 0; i < BULK_WRITES_MAX && !hasEnded(); i++) {
    const asked = cluster.managers[i % cluster.managers.length];
    if (asked?.pid === undefined) continue;
    try {
      await writeBulk(asked, i);
      written++;
    } catch (cause) {
      // This one has the full disk, or knows no leader yet: the next is asked.
      error = (cause as Error).message;
    }
  }
  const what = `${victim.name} ends on its full disk (${written} large writes; ${error})`;
  await eventually(what, hasEnded, STOP_ON_FULL_DISK_MS);
}

/** Moves a label of one service: the log grows and the store does not. */
async function writeBulk(manager: TestNode, number: number): Promise<void> {
  const api = manager.api();
  const service = await api.get<{ Version: { Index: number }; Spec: object }>("/services/bulk");
  const letter = String.fromCharCode(97 + (number % 26));
  const spec = { ...service.Spec, Labels: { bulk: letter.repeat(BULK_BYTES) } };
  await api.post("/services/bulk/update", spec, { version: service.Version.Index });
}

function hold(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
