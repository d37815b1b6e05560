import { type Cluster, runningTasks } from "../cluster/cluster.ts";
import type { TestNode } from "../cluster/test-node.ts";
import { eventually } from "../eventually.ts";
import { childrenOf, killQuietly, processesNaming } from "../processes.ts";
import type { Direction, Fault } from "./plan.ts";
import { looking } from "./rest.ts";
import type { SmallDisk } from "./small-disk.ts";

/** One write to the log is so large that a few fill what was set aside ahead. */
const BULK_BYTES = 240 * 1024;
const BULK_WRITES_MAX = 200;
const STOP_ON_FULL_DISK_MS = 20_000;
/** Services made for the faults: one whose labels fill the log, one that is scaled. */
export const BULK = "bulk";
export const CHURN = "churn";

/** Where faults strike. */
export interface FaultPlace {
  readonly cluster: Cluster;
  readonly victim: TestNode;
  readonly disks: ReadonlyMap<TestNode, SmallDisk>;
  /** Managers that no other fault hits meanwhile. */
  readonly asked: readonly TestNode[];
  /** Looks at what must hold while the fault lasts. */
  readonly beforeHeal: () => Promise<void>;
}

/** Strikes, holds for as long as the fault says, heals. @throws when the victim does not do what it must. */
export async function strike(fault: Fault, place: FaultPlace): Promise<void> {
  switch (fault.kind) {
    case "kill":
      return kill([place.victim], place, fault.forMs);
    case "crash":
      return crash(place, fault.forMs);
    case "blackout":
      return kill(place.cluster.managers, place, fault.forMs);
    case "pause":
      return pause(place, fault.forMs);
    case "partition":
      return partition(place, fault.direction, fault.forMs);
    case "fullDisk":
      return fault.role === "worker" ? fullWorkerDisk(place) : fullDisk(place);
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

/** Its kernel lives on: what namespaces, links, mounts and groups there are must be found and cleared away. */
async function crash({ victim, beforeHeal }: FaultPlace, forMs: number): Promise<void> {
  const monitors = processesNaming(`${victim.folder}/`).filter(({ pid }) => pid !== victim.pid);
  const containers = monitors.flatMap(({ pid }) => childrenOf(pid));
  await victim.kill("SIGKILL");
  for (const pid of [...monitors.map((monitor) => monitor.pid), ...containers]) killQuietly(pid);
  await hold(forMs);
  await beforeHeal();
  await victim.start();
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
async function fullDisk(place: FaultPlace): Promise<void> {
  const { victim, beforeHeal } = place;
  const disk = diskOf(place);
  disk.fill();
  try {
    await writeUntilEnded(place);
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

/** Its daemon lives on. The tasks it is given meanwhile run in the end, there or elsewhere. */
async function fullWorkerDisk(place: FaultPlace): Promise<void> {
  const { cluster, victim, asked, beforeHeal } = place;
  const [manager] = asked;
  if (manager === undefined) throw new Error("all managers are hit");
  const disk = diskOf(place);
  disk.fill();
  try {
    await manager.mustMuster("service", "scale", "-d", `${CHURN}=${cluster.nodes.length}`);
    await looking("a task says that the disk is full", async () => {
      const tasks = await manager.mustMuster("service", "ps", "--no-trunc", CHURN);
      return tasks.includes("no space left on device");
    });
    await beforeHeal();
  } finally {
    disk.free();
  }
  if (victim.pid === undefined) throw new Error(`${victim.name} ended:\n${victim.logTail(40)}`);
  const running = async (count: number) => (await runningTasks(manager, CHURN)).length === count;
  await looking("the tasks given to a full disk run", () => running(cluster.nodes.length));
  await manager.mustMuster("service", "scale", "-d", `${CHURN}=0`);
  await looking("they are gone again", () => running(0));
}

function diskOf({ disks, victim }: FaultPlace): SmallDisk {
  const disk = disks.get(victim);
  if (disk === undefined) throw new Error(`${victim.name} has no disk of its own`);
  return disk;
}

async function writeUntilEnded({ victim, asked }: FaultPlace): Promise<void> {
  const hasEnded = () => victim.pid === undefined;
  let written = 0;
  let error = "";
  for (let i = 0; i < BULK_WRITES_MAX && !hasEnded(); i++) {
    const manager = asked[i % asked.length];
    if (manager?.pid === undefined) continue;
    try {
      await writeBulk(manager, i);
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
  const service = await api.get<{ Version: { Index: number }; Spec: object }>(`/services/${BULK}`);
  const letter = String.fromCharCode(97 + (number % 26));
  const spec = { ...service.Spec, Labels: { bulk: letter.repeat(BULK_BYTES) } };
  await api.post(`/services/${BULK}/update`, spec, { version: service.Version.Index });
}

function hold(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
