import { join, resolve } from "node:path";
import type { WireNode, WireTask } from "../../cli/client/wire.ts";
import { type Cluster, findLeader, runningTasks } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { eventually } from "../support/eventually.ts";
import type { LoadResult } from "../support/http-load.ts";
import type { LabHost } from "../support/lab/lab.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STEP_MS = 30_000;
const LOOK_MS = 20;

/** What a step saw that it should not have: ends the demo with exit code 1. */
export class DemoFailure extends Error {
  override readonly name = "DemoFailure";
}

/** @throws {DemoFailure} unless `condition`. */
export function must(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new DemoFailure(otherwise);
}

/** Milliseconds until `condition` held, looked at every 20 ms. */
export async function timeUntil(what: string, condition: () => Promise<boolean>): Promise<number> {
  const start = performance.now();
  await eventually(
    what,
    async () => {
      const holds = await condition();
      if (!holds) await new Promise((done) => setTimeout(done, LOOK_MS));
      return holds;
    },
    STEP_MS,
  );
  return performance.now() - start;
}

/** Sends `count` requests, each on its own connection, from the host outside the swarm to a node's published port. */
export async function sendRequests(
  cluster: Cluster,
  target: { readonly host: LabHost; readonly port: number; readonly count: number },
): Promise<LoadResult> {
  const url = `http://${target.host.ip}:${target.port}/`;
  const script = join(ROOT, "test/support/http-load.ts");
  const command = [process.execPath, "--import", "tsx", script, url, String(target.count)];
  const { code, stdout, stderr } = await cluster.lab.exec(cluster.outside, command);
  must(code === 0, `the client ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as LoadResult;
}

/** Waits until `count` tasks of the service run, none of them on `without`. */
export async function waitForReplicas(
  node: TestNode,
  service: string,
  count: number,
  without?: { readonly nodeId: string },
): Promise<number> {
  return timeUntil(`${count} replicas of ${service} run`, async () => {
    const tasks = await runningTasks(node, service);
    return tasks.filter((task) => task.NodeID !== without?.nodeId).length === count;
  });
}

/** The swarm's id of a host. */
export async function nodeIdOf(asked: TestNode, host: LabHost): Promise<string> {
  const nodes = await asked.api().get<WireNode[]>("/nodes");
  const id = nodes.find((node) => node.Description?.Hostname === host.name)?.ID;
  must(id !== undefined, `${host.name} is not in the list of nodes`);
  return id;
}

export async function nodeState(asked: TestNode, nodeId: string): Promise<string> {
  const nodes = await asked.api().get<WireNode[]>("/nodes");
  return nodes.find((node) => node.ID === nodeId)?.Status.State ?? "";
}

export async function leaderOf(cluster: Cluster): Promise<TestNode> {
  let leader: TestNode | undefined;
  await timeUntil("a leader is known", async () => {
    leader = await findLeader(cluster);
    return leader !== undefined;
  });
  must(leader !== undefined, "there is no leader");
  return leader;
}

/** Ids of the containers that run a service, to see later that none was replaced. */
export async function containerIds(node: TestNode, service: string): Promise<string[]> {
  const tasks = await runningTasks(node, service);
  return tasks.map(containerOf).sort();
}

function containerOf(task: WireTask): string {
  const status = task.Status as { readonly ContainerStatus?: { readonly ContainerID?: string } };
  return status.ContainerStatus?.ContainerID ?? "";
}
