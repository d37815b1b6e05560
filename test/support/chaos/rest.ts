import type { WireNode } from "../../../cli/client/wire.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { TestNode } from "../cluster/test-node.ts";
import { eventually } from "../eventually.ts";
import { countMonitors, type RunningContainer, runningContainers } from "./containers.ts";

const CONVERGE_MS = 60_000;
const LOOK_MS = 100;

export interface Rest {
  readonly containers: ReadonlyMap<string, RunningContainer>;
  /** What was seen to be missing last. */
  readonly waitedFor: string;
}

/** Waits until all nodes are there, every manager knows it, and each of `replicas` runs once and nothing else does. */
export async function rest(cluster: Cluster, service: string, replicas: number): Promise<Rest> {
  const [asked] = cluster.managers;
  if (asked === undefined) throw new Error("a swarm has a manager");
  let containers: ReadonlyMap<string, RunningContainer> = new Map();
  let waitedFor = "";
  const isAtRest = async () => {
    const missing = await missingNodes(cluster);
    if (missing === undefined) {
      containers = await runningContainers(asked, service);
      const monitors = countMonitors(cluster.folder);
      const alive = [...containers.values()].filter((one) => one.startedAt !== undefined).length;
      if ([containers.size, alive, monitors].every((count) => count === replicas)) return true;
      waitedFor = `${replicas} of each: ${containers.size} tasks run, ${alive} of their processes, ${monitors} monitors`;
    } else waitedFor = missing;
    return false;
  };
  try {
    await looking("the swarm is at rest", isAtRest);
  } catch (error) {
    throw new Error(`${(error as Error).message}; waited for ${waitedFor}`);
  }
  return { containers, waitedFor };
}

/** `eventually` for what costs the daemons something to answer. */
export function looking(what: string, condition: () => Promise<boolean>): Promise<void> {
  return eventually(what, condition, CONVERGE_MS, LOOK_MS);
}

/** What the first manager that does not see all nodes sees; undefined when all see all. */
async function missingNodes({ managers, nodes }: Cluster): Promise<string | undefined> {
  for (const manager of managers) {
    const seen = await nodesSeen(manager);
    const ready = seen.split(" ").filter((word) => word.endsWith("=ready"));
    const voting = seen.split(" ").filter((word) => word.endsWith("=reachable"));
    if (ready.length !== nodes.length || voting.length !== managers.length)
      return `${manager.name} to see more than "${seen}"`;
  }
  return undefined;
}

/** `h1=ready h1:manager=reachable …` of all nodes as one manager sees them; empty when it does not answer. */
async function nodesSeen(manager: TestNode): Promise<string> {
  try {
    const nodes = await manager.api().get<WireNode[]>("/nodes");
    return nodes
      .flatMap(({ Description, Status, ManagerStatus }) => [
        `${Description?.Hostname}=${Status.State}`,
        ...(ManagerStatus === undefined
          ? []
          : [`${Description?.Hostname}:manager=${ManagerStatus.Reachability}`]),
      ])
      .join(" ");
  } catch {
    return "";
  }
}
