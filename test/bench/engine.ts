import { join } from "node:path";
import { type Cluster, startDaemons } from "../support/cluster/cluster.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { busyboxImage } from "../support/image-builder.ts";
import type { LabHost } from "../support/lab/lab.ts";
import { pushImage } from "../support/push-image.ts";
import { startRegistry } from "../support/registry.ts";
import { Dockerd } from "./dockerd.ts";
import { layeredImage } from "./engine/layered-image.ts";
import { memoryOf } from "./engine/memory.ts";
import { type Comparison, report } from "./report.ts";
import { callApi } from "./unix-api.ts";

const REGISTRY_PORT = 5000;
const CLI_RUNS = 11;
const PULL_RUNS = 5;
const MANY_RUNS = 3;
const CONTAINERS = 50;
const IN_FLIGHT = 8;
/** Fresh daemons give back what their start took. */
const REST_MS = 3000;

/** A daemon under measurement, with the stock docker command line. */
interface Subject {
  readonly socket: string;
  /** All its processes name this folder on their command lines. */
  readonly folder: string;
  /** Milliseconds of one command that must succeed, as a whole process. */
  time(...args: string[]): Promise<number>;
}

interface Pair {
  readonly ours: Subject;
  readonly peer: Subject;
}

type Figure = Pick<Comparison, "name" | "unit" | "target"> & { readonly runs: number };

const RUN: Figure = {
  name: "docker run --rm IMAGE true",
  unit: "ms",
  target: { of: "ratio", atMost: 0.25 },
  runs: CLI_RUNS,
};
const EXEC: Figure = {
  name: "docker exec CONTAINER true",
  unit: "ms",
  target: { of: "ratio", atMost: 0.33 },
  runs: CLI_RUNS,
};
const MANY: Figure = {
  name: `${CONTAINERS} started, ${IN_FLIGHT} in flight`,
  unit: "ms",
  target: { of: "ratio", atMost: 0.2 },
  runs: MANY_RUNS,
};
const PULL: Figure = {
  name: "docker pull, 100 MiB in 6 layers",
  unit: "ms",
  target: { of: "ratio", atMost: 1 },
  runs: PULL_RUNS,
};
const IDLE: Figure = {
  name: "idle daemon, RSS",
  unit: "MiB",
  target: { of: "ours", atMost: 120 },
  runs: 1,
};
const PER_CONTAINER: Figure = {
  name: "each further container, PSS",
  unit: "MiB",
  target: { of: "ours", atMost: 3 },
  runs: 1,
};

/**
 * The stock docker command line and Docker's API against Muster and Debian's dockerd in turn, on one machine: a container
 * run and gone, a command in one that runs, fifty started, an image pulled, memory.
 */
export async function benchEngine(): Promise<void> {
  const archives = { busybox: await busyboxImage(), layered: await layeredImage() };
  const flags = (outside: LabHost) => ["--insecure-registry", `${outside.ip}:${REGISTRY_PORT}`];
  const cluster = await startDaemons({ name: "bench", managers: 1, workers: 1, flags });
  const listen = `${cluster.outside.ip}:${REGISTRY_PORT}`;
  const registry = await startRegistry({
    dir: join(cluster.folder, "registry"),
    listen,
    netns: cluster.outside.netns,
  });
  let dockerd: Dockerd | undefined;
  try {
    const busybox = `${listen}/busybox:bench`;
    const layered = `${listen}/layered:bench`;
    await pushImage(cluster, archives.busybox, busybox);
    await pushImage(cluster, archives.layered, layered);
    const [node, spare] = cluster.nodes;
    if (node === undefined || spare === undefined) throw new Error("the bench needs two hosts");
    // The second host is the peer's: its own daemon makes room.
    await spare.kill("SIGTERM");
    const folder = join(cluster.folder, "dockerd");
    dockerd = await Dockerd.start(cluster.lab, spare.host, {
      folder,
      flags: flags(cluster.outside),
    });
    const cli = await debianDockerCli();
    const { socket } = dockerd;
    const pair: Pair = {
      ours: subject(cluster, node.host, { cli, socket: node.socket, folder: node.folder }),
      peer: subject(cluster, spare.host, { cli, socket, folder }),
    };
    report("engine", "docker", await measure(pair, { busybox, layered }));
  } finally {
    await dockerd?.close();
    await registry.close();
    await cluster.close();
  }
}

async function measure(
  pair: Pair,
  images: { readonly busybox: string; readonly layered: string },
): Promise<Comparison[]> {
  const { busybox, layered } = images;
  const both = [pair.ours, pair.peer];
  await rest();
  const idle = await compare(pair, IDLE, async ({ folder }) => memoryOf(folder).rssMiB);
  for (const on of both) await on.time("pull", "-q", busybox);
  const run = await compare(pair, RUN, (on) => on.time("run", "--rm", busybox, "true"));
  for (const on of both) await on.time("run", "-d", "--name", "sleeper", busybox, "sleep", "3600");
  const exec = await compare(pair, EXEC, (on) => on.time("exec", "sleeper", "true"));
  for (const on of both) await on.time("rm", "-f", "sleeper");
  const many = await compare(pair, MANY, async (on) => {
    const started = await startMany(on.socket, busybox);
    await removeAll(on.socket, started.ids);
    return started.elapsedMs;
  });
  const pull = await compare(pair, PULL, async (on) => {
    const elapsedMs = await on.time("pull", "-q", layered);
    await on.time("rmi", layered);
    return elapsedMs;
  });
  const memory = await compare(pair, PER_CONTAINER, async (on) => {
    const before = memoryOf(on.folder).pssMiB;
    const { ids } = await startMany(on.socket, busybox);
    await rest();
    const after = memoryOf(on.folder).pssMiB;
    await removeAll(on.socket, ids);
    return (after - before) / CONTAINERS;
  });
  return [run, exec, many, pull, idle, memory];
}

const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));

/** Ours and the peer's in turn; where there are several runs, the first of each is not counted. */
async function compare(
  { ours, peer }: Pair,
  { runs, ...figure }: Figure,
  take: (on: Subject) => Promise<number>,
): Promise<Comparison> {
  const taken = { ours: [] as number[], peer: [] as number[] };
  for (let run = runs === 1 ? 1 : 0; run <= runs; run++) {
    const of = { ours: await take(ours), peer: await take(peer) };
    if (run === 0) continue;
    taken.ours.push(of.ours);
    taken.peer.push(of.peer);
  }
  return { ...figure, ...taken };
}

/** Creates and starts containers that sleep, through the API. */
async function startMany(
  socket: string,
  image: string,
): Promise<{ readonly ids: readonly string[]; readonly elapsedMs: number }> {
  const ids: string[] = [];
  const body = { Image: image, Cmd: ["sleep", "3600"] };
  const start = performance.now();
  await inFlight(Array.from({ length: CONTAINERS }), async () => {
    const { Id } = await callApi<{ Id: string }>(socket, "POST", "/containers/create", body);
    await callApi(socket, "POST", `/containers/${Id}/start`);
    ids.push(Id);
  });
  return { ids, elapsedMs: performance.now() - start };
}

async function removeAll(socket: string, ids: readonly string[]): Promise<void> {
  await inFlight(ids, (id) => callApi(socket, "DELETE", `/containers/${id}?force=1`));
}

/** Does it for each item, so many at a time. */
async function inFlight<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    while (left.length > 0) await act(left.pop() as T);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

function subject(
  { lab }: Cluster,
  host: LabHost,
  where: { readonly cli: string; readonly socket: string; readonly folder: string },
): Subject {
  const { cli, socket, folder } = where;
  return {
    socket,
    folder,
    time: async (...args) => {
      const start = performance.now();
      const { code, stderr } = await lab.exec(host, [cli, "-H", `unix://${socket}`, ...args]);
      const elapsedMs = performance.now() - start;
      if (code !== 0) throw new Error(`docker ${args.join(" ")} at ${socket}: ${stderr}`);
      return elapsedMs;
    },
  };
}
