import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, formSwarm, startDaemons } from "../support/cluster/cluster.ts";
import { nginxImage } from "../support/image-builder.ts";
import { pushImage } from "../support/push-image.ts";
import { type RunningRegistry, startRegistry } from "../support/registry.ts";
import {
  containerIds,
  DemoFailure,
  leaderOf,
  must,
  nodeIdOf,
  nodeState,
  sendRequests,
  timeUntil,
  waitForReplicas,
} from "./steps.ts";

const REGISTRY_PORT = 5000;
const WEB_PORT = 8080;
const REQUESTS = 300;
const TIME_MAX_S = 90;

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
const say = (text: string) => void process.stdout.write(`${text}\n`);
const title = (text: string) => say(`\n=== ${text}`);

/** The main job, shown: five hosts, one service that runs, is balanced, heals, survives its leader, scales and goes. */
async function demo(keep: boolean): Promise<void> {
  title("Set-up: five hosts with a daemon each, and one outside with a client and a registry");
  const archive = await nginxImage();
  const cluster = await startDaemons({
    name: "demo",
    managers: 3,
    workers: 2,
    keep,
    flags: (outside) => ["--insecure-registry", `${outside.ip}:${REGISTRY_PORT}`],
  });
  let registry: RunningRegistry | undefined;
  try {
    registry = await openRegistry(cluster);
    const image = `${cluster.outside.ip}:${REGISTRY_PORT}/nginx:demo`;
    await pushImage(cluster, archive, image);
    say(`nginx of Debian's nginx-light, pushed to ${image}`);
    const start = performance.now();
    await show(cluster, image);
    const elapsedMs = performance.now() - start;
    title(`All of it took ${seconds(elapsedMs)}`);
    must(elapsedMs < TIME_MAX_S * 1000, `it took more than ${TIME_MAX_S} s`);
  } finally {
    if (keep) explain(cluster, `${cluster.outside.ip}:${REGISTRY_PORT}/nginx:demo`);
    else {
      await registry?.close();
      await cluster.close();
    }
  }
  if (!keep) must(leftovers() === "", `left behind:\n${leftovers()}`);
}

async function openRegistry(cluster: Cluster): Promise<RunningRegistry> {
  const dir = join(cluster.folder, "registry");
  mkdirSync(dir);
  const listen = `${cluster.outside.ip}:${REGISTRY_PORT}`;
  return startRegistry({ dir, listen, netns: cluster.outside.netns });
}

async function show(cluster: Cluster, image: string): Promise<void> {
  await showSwarm(cluster);
  await showService(cluster, image);
  await showBalance(cluster);
  await showLostWorker(cluster);
  await showLostLeader(cluster);
  await showScale(cluster);
}

async function showSwarm(cluster: Cluster): Promise<void> {
  title("A swarm of three managers and two workers");
  const start = performance.now();
  await formSwarm(cluster);
  say(`formed in ${seconds(performance.now() - start)}\n`);
  say(await (await leaderOf(cluster)).mustMuster("node", "ls"));
}

async function showService(cluster: Cluster, image: string): Promise<void> {
  title("A service of 6 replicas with a published port");
  const leader = await leaderOf(cluster);
  const command = [
    "service",
    "create",
    "-d",
    "--name",
    "web",
    "--replicas",
    "6",
    "-p",
    `${WEB_PORT}:80`,
    image,
  ];
  say(`$ muster ${command.join(" ")}`);
  const start = performance.now();
  await leader.mustMuster(...command);
  await waitForReplicas(leader, "web", 6);
  say(`created, pulled and running in ${seconds(performance.now() - start)}\n`);
  say(await leader.mustMuster("service", "ps", "web"));
}

async function showBalance(cluster: Cluster): Promise<void> {
  title(`${REQUESTS} requests through every node's port ${WEB_PORT}`);
  for (const node of cluster.nodes) {
    const result = await sendRequests(cluster, {
      host: node.host,
      port: WEB_PORT,
      count: REQUESTS,
    });
    const counts = Object.values(result.answers);
    say(
      `${node.name}: ${counts.length} replicas answered (${counts.join(", ")}), ${result.failures.length} failed`,
    );
    must(result.failures.length === 0, `${node.name}: ${result.failures[0]}`);
    must(counts.length === 6, `${node.name}: ${counts.length} of 6 replicas answered`);
  }
}

async function showLostWorker(cluster: Cluster): Promise<void> {
  const worker = cluster.workers[0];
  must(worker !== undefined, "there is no worker");
  title(`The cable of ${worker.name} is pulled`);
  const leader = await leaderOf(cluster);
  const nodeId = await nodeIdOf(leader, worker.host);
  await cluster.lab.pullCable(worker.host);
  const start = performance.now();
  await timeUntil(
    `${worker.name} is down`,
    async () => (await nodeState(leader, nodeId)) === "down",
  );
  say(`noticed after ${seconds(performance.now() - start)}`);
  await waitForReplicas(leader, "web", 6, { nodeId });
  say(`6 replicas run elsewhere after ${seconds(performance.now() - start)}`);
  await cluster.lab.plugCable(worker.host);
  const back = await timeUntil(
    `${worker.name} is ready`,
    async () => (await nodeState(leader, nodeId)) === "ready",
  );
  say(`plugged in again: ready after ${seconds(back)}`);
}

async function showLostLeader(cluster: Cluster): Promise<void> {
  const leader = await leaderOf(cluster);
  title(`The leader, ${leader.name}, is killed`);
  await waitForReplicas(leader, "web", 6);
  const before = await containerIds(leader, "web");
  const start = performance.now();
  await leader.kill("SIGKILL");
  const successor = await leaderOf(cluster);
  say(`${successor.name} leads after ${seconds(performance.now() - start)}`);
  await leader.start();
  const leaderId = await nodeIdOf(successor, leader.host);
  await timeUntil(
    `${leader.name} is back`,
    async () => (await nodeState(successor, leaderId)) === "ready",
  );
  await waitForReplicas(successor, "web", 6);
  const after = await containerIds(successor, "web");
  say(`${leader.name} is back after ${seconds(performance.now() - start)}`);
  must(
    before.join() === after.join(),
    `containers were replaced:\n${before.join("\n")}\n${after.join("\n")}`,
  );
  say(`containers restarted: 0 of ${after.length}`);
}

async function showScale(cluster: Cluster): Promise<void> {
  title("Scaled to 12, then removed");
  const leader = await leaderOf(cluster);
  const start = performance.now();
  await leader.mustMuster("service", "scale", "-d", "web=12");
  await waitForReplicas(leader, "web", 12);
  say(`12 replicas run after ${seconds(performance.now() - start)}`);
  const result = await sendRequests(cluster, {
    host: leader.host,
    port: WEB_PORT,
    count: REQUESTS,
  });
  say(
    `${Object.keys(result.answers).length} replicas answered, ${result.failures.length} of ${REQUESTS} requests failed`,
  );
  must(result.failures.length === 0, `${result.failures[0]}`);
  must(Object.keys(result.answers).length === 12, "not all 12 replicas answered");
  const removal = performance.now();
  await leader.mustMuster("service", "rm", "web");
  await timeUntil(
    "all tasks are gone",
    async () => (await leader.api().get<unknown[]>("/tasks")).length === 0,
  );
  say(`removed, all containers gone, after ${seconds(performance.now() - removal)}`);
}

function explain(cluster: Cluster, image: string): void {
  title("The cluster goes on, as you asked with --keep");
  const [first] = cluster.managers;
  const muster = `bin/muster -H unix://${first?.socket}`;
  say(`${muster} node ls`);
  say(`${muster} service create --name web --replicas 6 -p ${WEB_PORT}:80 ${image}`);
  say(
    `nsenter --net=/run/netns/${cluster.outside.netns} curl http://${first?.host.ip}:${WEB_PORT}/`,
  );
  say("It is removed by the next 'npm run demo'.");
}

/** What of ours the machine still has: namespaces, mounts, processes. */
function leftovers(): string {
  const list = (command: string) => spawnSync("sh", ["-c", command], { encoding: "utf8" }).stdout;
  return list(
    "ip netns list | grep '^demo-'; grep muster-demo /proc/self/mountinfo; pgrep -af muster-demo | grep -v pgrep",
  );
}

try {
  await demo(process.argv.includes("--keep"));
} catch (error) {
  if (!(error instanceof DemoFailure)) throw error;
  say(`\nFAILED: ${error.message}`);
  process.exitCode = 1;
}
