import { join } from "node:path";
import type { WireTask } from "../../cli/client/wire.ts";
import { formSwarm, startDaemons } from "../support/cluster/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";
import { pushImage } from "../support/push-image.ts";
import { startRegistry } from "../support/registry.ts";
import { Dockerd } from "./dockerd.ts";
import { type Comparison, report } from "./report.ts";
import { callApi } from "./unix-api.ts";

const RUNS = 5;
const REPLICAS = 20;
const REGISTRY_PORT = 5000;
const LOOK_MS = 25;
const STEP_MS = 60_000;
/** Issue: at most a quarter of Docker's time. */
const TARGET = { of: "ratio", atMost: 0.25 } as const;

/**
 * A service of 20 replicas and of one, created until all run, on one node: Muster and Debian's dockerd in turn, each
 * asked through its own HTTP API every 25 ms. The image is on the machine beforehand.
 */
export async function benchStart(): Promise<void> {
  const archive = await busyboxImage();
  const cluster = await startDaemons({
    name: "bench",
    managers: 1,
    workers: 1,
    flags: (outside) => ["--insecure-registry", `${outside.ip}:${REGISTRY_PORT}`],
  });
  const listen = `${cluster.outside.ip}:${REGISTRY_PORT}`;
  const registry = await startRegistry({
    dir: join(cluster.folder, "registry"),
    listen,
    netns: cluster.outside.netns,
  });
  let dockerd: Dockerd | undefined;
  try {
    const image = `${listen}/busybox:bench`;
    await pushImage(cluster, archive, image);
    const [node, spare] = cluster.nodes;
    if (node === undefined || spare === undefined) throw new Error("the bench needs two hosts");
    // The second host is the peer's: its own daemon makes room.
    await spare.kill("SIGTERM");
    await formSwarm({ ...cluster, nodes: [node], workers: [] });
    const flags = ["--insecure-registry", listen];
    dockerd = await Dockerd.start(cluster.lab, spare.host, {
      folder: join(cluster.folder, "dockerd"),
      flags,
    });
    await dockerd.mustDocker("swarm", "init", "--advertise-addr", spare.host.ip);
    await dockerd.mustDocker("pull", image);
    report("start", "docker", await measure({ ours: node.socket, peer: dockerd.socket }, image));
  } finally {
    await dockerd?.close();
    await registry.close();
    await cluster.close();
  }
}

/** One run of each that is not counted, then in turn. */
async function measure(
  sockets: { readonly ours: string; readonly peer: string },
  image: string,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const replicas of [REPLICAS, 1]) {
    const ours: number[] = [];
    const peer: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const oursMs = await timeService(sockets.ours, image, replicas);
      const peerMs = await timeService(sockets.peer, image, replicas);
      // Its tasks are gone before their containers are: what is left would slow our next run down.
      const left = async () => callApi<unknown[]>(sockets.peer, "GET", "/containers/json?all=1");
      await eventually(
        "the peer's containers are gone",
        async () => (await left()).length === 0,
        STEP_MS,
      );
      if (run === 0) continue;
      ours.push(oursMs);
      peer.push(peerMs);
    }
    comparisons.push({
      name: `service of ${replicas}: create → all running`,
      unit: "ms",
      ours,
      peer,
      target: TARGET,
    });
  }
  return comparisons;
}

/** Milliseconds from the request to create until the API says that all run; then the service is removed. */
async function timeService(socket: string, image: string, replicas: number): Promise<number> {
  const spec = {
    Name: "bench",
    TaskTemplate: {
      ContainerSpec: { Image: image, Command: ["sleep", "3600"], StopSignal: "SIGKILL" },
    },
    Mode: { Replicated: { Replicas: replicas } },
  };
  const start = performance.now();
  await callApi(socket, "POST", "/services/create", spec);
  await eventually(
    `${replicas} tasks run`,
    async () => (await countRunning(socket)) === replicas,
    STEP_MS,
  );
  const elapsedMs = performance.now() - start;
  await callApi(socket, "DELETE", "/services/bench");
  await eventually(
    "all tasks are gone",
    async () => (await callApi<WireTask[]>(socket, "GET", "/tasks")).length === 0,
    STEP_MS,
  );
  return elapsedMs;
}

async function countRunning(socket: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  const tasks = await callApi<WireTask[]>(socket, "GET", "/tasks");
  return tasks.filter((task) => task.Status.State === "running").length;
}
