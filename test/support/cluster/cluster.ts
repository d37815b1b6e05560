import { mkdirSync } from "node:fs";
import type { WireNode, WireTask } from "../../../cli/client/wire.ts";
import { eventually } from "../eventually.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { made } from "../leftovers/made.ts";
import { clusterFolder, removeCluster } from "./remove-cluster.ts";
import { TestNode } from "./test-node.ts";
import { hireUndertaker } from "./undertaker.ts";

/** Alone on its machine a swarm forms in a few seconds. */
const FORM_MS = 60_000;

export interface ClusterOptions {
  /** Names the lab; one cluster of a name at a time. */
  readonly name: string;
  readonly managers: number;
  readonly workers: number;
  /** Flags for each `musterd`. */
  readonly flags?: (outside: LabHost) => readonly string[];
  /** It outlives this process; otherwise it goes with it, however it ends. */
  readonly keep?: boolean;
  /** Done for each node, managers first, before its daemon starts. */
  readonly prepare?: (node: TestNode, index: number) => Promise<void>;
  /** More of the environment of each `musterd`. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A swarm of real daemons on the hosts of a lab, with one more host outside of it for clients and a registry. */
export interface Cluster {
  readonly lab: Lab;
  readonly nodes: readonly TestNode[];
  readonly managers: readonly TestNode[];
  readonly workers: readonly TestNode[];
  readonly outside: LabHost;
  readonly folder: string;
  /** Stops everything and removes it. */
  close(): Promise<void>;
}

/** Makes the hosts and starts a daemon on each; no swarm yet. */
export async function startDaemons(options: ClusterOptions): Promise<Cluster> {
  const { name, managers, workers, env = {} } = options;
  const undertaker = options.keep === true ? undefined : await hireUndertaker(name);
  await removeCluster(name);
  const lab = await createLab({ name, hosts: managers + workers + 1 });
  const folder = clusterFolder(name);
  const outside = lab.hosts.at(-1);
  if (outside === undefined) throw new Error("the lab has no host");
  mkdirSync(folder, { recursive: true });
  const flags = options.flags?.(outside) ?? [];
  const nodes = lab.hosts
    .slice(0, -1)
    .map((host) => new TestNode({ lab, host, folder, flags, env }));
  if (options.keep !== true) made.folders.add(folder);
  for (const { dataRoot } of options.keep === true ? [] : nodes) made.dataRoots.add(dataRoot);
  const cluster: Cluster = {
    lab,
    nodes,
    managers: nodes.slice(0, managers),
    workers: nodes.slice(managers),
    outside,
    folder,
    close: async () => {
      await Promise.allSettled(nodes.map((node) => node.kill("SIGKILL")));
      await removeCluster(name);
      undertaker?.dismiss();
    },
  };
  try {
    for (const [index, node] of nodes.entries()) await options.prepare?.(node, index);
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

/** Makes one swarm of the daemons: the first manager starts it, the others join. Resolves when all nodes are ready. */
export async function formSwarm(
  { managers, workers, nodes }: Cluster,
  initFlags: readonly string[] = [],
): Promise<void> {
  const [first, ...others] = managers;
  if (first === undefined) throw new Error("a swarm needs a manager");
  await first.mustMuster("swarm", "init", "--advertise-addr", first.host.ip, ...initFlags);
  const managerToken = await first.mustMuster("swarm", "join-token", "-q", "manager");
  const workerToken = await first.mustMuster("swarm", "join-token", "-q", "worker");
  const remote = `${first.host.ip}:2377`;
  await Promise.all([
    ...others.map((node) =>
      node.mustMuster(
        "swarm",
        "join",
        "--token",
        managerToken,
        "--advertise-addr",
        node.host.ip,
        remote,
      ),
    ),
    ...workers.map((node) =>
      node.mustMuster(
        "swarm",
        "join",
        "--token",
        workerToken,
        "--advertise-addr",
        node.host.ip,
        remote,
      ),
    ),
  ]);
  await eventually(
    "all nodes are ready",
    async () => {
      const seen = await first.api().get<WireNode[]>("/nodes");
      const ready = seen.filter((node) => node.Status.State === "ready");
      const voting = ready.filter((node) => node.ManagerStatus?.Reachability === "reachable");
      return ready.length === nodes.length && voting.length === managers.length;
    },
    FORM_MS,
  );
}

/** The tasks of a service that should run and do. */
export async function runningTasks(node: TestNode, service: string): Promise<WireTask[]> {
  const filters = JSON.stringify({ service: [service], "desired-state": ["running"] });
  const tasks = await node.api().get<WireTask[]>("/tasks", { filters });
  return tasks.filter((task) => task.Status.State === "running");
}

/** The manager that leads now; undefined while there is none. */
export async function findLeader(cluster: Cluster): Promise<TestNode | undefined> {
  for (const node of cluster.managers) {
    if (node.pid === undefined) continue;
    try {
      const nodes = await node.api().get<WireNode[]>("/nodes");
      const leader = nodes.find((candidate) => candidate.ManagerStatus?.Leader === true);
      const ip = leader?.ManagerStatus?.Addr.replace(/:\d+$/, "");
      const found = cluster.managers.find(
        (manager) => manager.host.ip === ip && manager.pid !== undefined,
      );
      if (found !== undefined) return found;
    } catch {
      // This one knows no leader; ask the next.
    }
  }
  return undefined;
}
