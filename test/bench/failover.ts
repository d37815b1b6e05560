import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { WireNode, WireTask } from "../../cli/client/wire.ts";
import {
  type Cluster,
  findLeader,
  formSwarm,
  runningTasks,
  startDaemons,
} from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";
import { pushImage } from "../support/push-image.ts";
import { startRegistry } from "../support/registry.ts";
import { machine, median } from "./report.ts";

const ROUNDS = 20;
const REPLICAS = 5;
const REGISTRY_PORT = 5000;
const STEP_MS = 60_000;
const SERVICE = "bench";
/** Between two tries of a write that was refused. */
const RETRY_MS = 5;
const TARGET_MS = 1500;

/** Milliseconds after the leader was killed. */
interface Round {
  /** The first of the other managers missed it. */
  readonly noticedMs: number;
  /** One of them led. */
  readonly electedMs: number;
  /** One of them acknowledged a write; it was asked from the moment of the kill on. */
  readonly writtenMs: number;
}

/**
 * The leader of three managers is killed, twenty times: how long until another manager acknowledges a write? A service
 * runs on managers and workers meanwhile, and its containers must not notice.
 */
export async function benchFailover(): Promise<void> {
  const archive = await busyboxImage();
  const cluster = await startDaemons({
    name: "failover",
    managers: 3,
    workers: 2,
    flags: (outside) => ["--insecure-registry", `${outside.ip}:${REGISTRY_PORT}`],
  });
  const listen = `${cluster.outside.ip}:${REGISTRY_PORT}`;
  const registry = await startRegistry({
    dir: join(cluster.folder, "registry"),
    listen,
    netns: cluster.outside.netns,
  });
  try {
    await pushImage(cluster, archive, `${listen}/busybox:bench`);
    await formSwarm(cluster);
    const before = await startService(cluster, `${listen}/busybox:bench`);
    const rounds: Round[] = [];
    for (let n = 0; n < ROUNDS; n++) rounds.push(await killLeader(cluster, n));
    const after = await containers(cluster);
    const kept = before.filter((container) => after.includes(container)).length;
    report(rounds, { restarts: REPLICAS - kept, tasks: await countTasks(cluster) });
  } finally {
    await registry.close();
    await cluster.close();
  }
}

async function startService(cluster: Cluster, image: string): Promise<string[]> {
  const [node] = cluster.nodes;
  await node?.mustMuster(
    ...["service", "create", "--detach", "--name", SERVICE, "--replicas", String(REPLICAS)],
    ...["--stop-signal", "SIGKILL", image, "sleep", "3600"],
  );
  const running = async () => (await containers(cluster)).length;
  await eventually("the service runs", async () => (await running()) === REPLICAS, STEP_MS);
  return containers(cluster);
}

async function killLeader(cluster: Cluster, n: number): Promise<Round> {
  const leader = await findLeader(cluster);
  if (leader === undefined) throw new Error("no manager leads");
  const others = cluster.managers.filter((node) => node !== leader);
  const asked = others[n % others.length];
  if (asked === undefined) throw new Error("there is no other manager");
  const killedMs = Date.now();
  await leader.kill("SIGKILL");
  await writeConfig(asked, `bench-${n}`);
  const writtenMs = Date.now() - killedMs;
  const noticed = others.map((node) => loggedAfter(node, "misses its leader", killedMs));
  const elected = others.map((node) => loggedAfter(node, "became the leader", killedMs));
  await leader.start();
  await eventually("the swarm is whole again", () => isWhole(cluster, asked), STEP_MS);
  return { noticedMs: Math.min(...noticed), electedMs: Math.min(...elected), writtenMs };
}

/** Asked again when it is refused: whoever asks a swarm that elects a leader would do the same. */
async function writeConfig(node: TestNode, name: string): Promise<void> {
  const spec = { Name: name, Data: Buffer.from(name).toString("base64") };
  await eventually(
    "a write is acknowledged",
    async () => {
      try {
        await node.api().post("/configs/create", spec);
        return true;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        return hasConfig(node, name);
      }
    },
    STEP_MS,
  );
}

/** A write whose outcome was unknown may have been made. */
async function hasConfig(node: TestNode, name: string): Promise<boolean> {
  return node
    .api()
    .get(`/configs/${name}`)
    .then(
      () => true,
      () => false,
    );
}

/** Milliseconds from `sinceMs` to the first such line in the node's log after it; Infinity: there is none. */
function loggedAfter(node: TestNode, message: string, sinceMs: number): number {
  const lines = readFileSync(node.logFile, "utf8").trimEnd().split("\n");
  for (const line of lines) {
    if (!line.includes(message)) continue;
    const afterMs = Date.parse((JSON.parse(line) as { time: string }).time) - sinceMs;
    if (afterMs >= 0) return afterMs;
  }
  return Number.POSITIVE_INFINITY;
}

async function isWhole(cluster: Cluster, node: TestNode): Promise<boolean> {
  try {
    const nodes = await node.api().get<WireNode[]>("/nodes");
    const ready = nodes.filter(({ Status }) => Status.State === "ready");
    const voting = nodes.filter(({ ManagerStatus }) => ManagerStatus?.Reachability === "reachable");
    const isComplete = ready.length === cluster.nodes.length && voting.length === 3;
    return isComplete && (await containers(cluster, node)).length === REPLICAS;
  } catch {
    return false;
  }
}

/** Each container of the service by its process and when that was started: a container that was restarted has others. */
async function containers(cluster: Cluster, node = cluster.nodes[0]): Promise<string[]> {
  if (node === undefined) return [];
  const tasks = await runningTasks(node, SERVICE);
  return tasks.map(({ ID, Status }) => {
    const pid = (Status as { ContainerStatus?: { PID: number } }).ContainerStatus?.PID ?? 0;
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return `${ID} ${pid} ${fields[19]}`;
  });
}

/** Tasks the service ever had. */
async function countTasks(cluster: Cluster): Promise<number> {
  const filters = JSON.stringify({ service: [SERVICE] });
  return (await cluster.nodes[0]?.api().get<WireTask[]>("/tasks", { filters }))?.length ?? 0;
}

function report(
  rounds: readonly Round[],
  { restarts, tasks }: { readonly restarts: number; readonly tasks: number },
): void {
  const row = (name: string, pick: (round: Round) => number, target = "") => {
    const values = rounds.map(pick);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    process.stdout.write(
      `${name.padEnd(28)}${`${median(values)} ms`.padEnd(12)}${`${low}–${high}`.padEnd(14)}${target}\n`,
    );
  };
  process.stdout.write(`${"after the kill of the leader".padEnd(28)}median      range\n`);
  row("missed by another", ({ noticedMs }) => noticedMs);
  row("a new leader", ({ electedMs }) => electedMs);
  row("first write acknowledged", ({ writtenMs }) => writtenMs, `≤ ${TARGET_MS} ms`);
  process.stdout.write(`containers restarted: ${restarts}; tasks: ${tasks} of ${REPLICAS}\n`);
  const result = { bench: "failover", machine: machine(), rounds, restarts, tasks };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
