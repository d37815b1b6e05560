import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { WireNode } from "../../../cli/client/wire.ts";
import { type Random, seededRandom } from "../../../core/random.ts";
import { type Cluster, findLeader, formSwarm, startDaemons } from "../cluster/cluster.ts";
import type { TestNode } from "../cluster/test-node.ts";
import { busyboxImage } from "../image-builder.ts";
import { checkAlive, checkSame, checkWrites } from "./checks.ts";
import { runningContainers } from "./containers.ts";
import { BULK, CHURN, strike } from "./faults.ts";
import { checkLeftovers, removeAll, settledState } from "./leftovers.ts";
import { describeFault, type Fault, mayReplace, pick } from "./plan.ts";
import { looking, type Rest, rest } from "./rest.ts";
import { SmallDisk } from "./small-disk.ts";
import { Traffic } from "./traffic.ts";
import type { TrafficResult } from "./traffic-main.ts";
import { Writer } from "./writer.ts";

const SERVICE = "web";
const PORT = 8080;
const REPLICAS_PER_NODE = 1;
/** Rest that takes longer is explained. */
const SLOW_MS = 10_000;
/** Serves its host's name, and ends at once when told to. */
const SERVE = "mkdir w; hostname > w/index.html; exec httpd -f -p 80 -h w";

export interface ChaosOptions {
  /** Names the lab. */
  readonly name: string;
  readonly managers: number;
  readonly workers: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** What a run came to. */
export interface ChaosResult {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly traffic: TrafficResult;
}

/** What a round came to. */
export interface RoundResult {
  readonly hasNewLeader: boolean;
  /** Of the containers that ran before it, how many were replaced. */
  readonly replaced: number;
}

/** A swarm of real daemons under load, to which things happen. Every promise that breaks is thrown. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly #cluster: Cluster;
  readonly #disks: ReadonlyMap<TestNode, SmallDisk>;
  readonly #random: Random;
  readonly #replicas: number;
  readonly #baseline = new Map<TestNode, readonly string[]>();
  #writer: Writer | undefined;
  #traffic: Traffic | undefined;
  #rounds = 0;

  static async open(options: ChaosOptions): Promise<Chaos> {
    const { name, managers, workers } = options;
    const disks = new Map<TestNode, SmallDisk>();
    const cluster = await startDaemons({
      name,
      managers,
      workers,
      prepare: async (node) => void disks.set(node, await SmallDisk.mount(node.dataRoot)),
    });
    const chaos = new Chaos(options, cluster, disks);
    try {
      await chaos.#setUp();
      return chaos;
    } catch (error) {
      await chaos.close();
      throw error;
    }
  }

  private constructor(
    options: ChaosOptions,
    cluster: Cluster,
    disks: ReadonlyMap<TestNode, SmallDisk>,
  ) {
    this.#options = options;
    this.#cluster = cluster;
    this.#disks = disks;
    this.#random = seededRandom(options.seed);
    this.#replicas = REPLICAS_PER_NODE * cluster.nodes.length;
  }

  /**
   * Faults that strike together, from their start to rest.
   *
   * @param during waited for before a fault ends; told who leads the others and which node is hit.
   */
  async round(
    faults: readonly Fault[],
    during?: (leader: TestNode, victimId: string) => Promise<void>,
  ): Promise<RoundResult> {
    const leader = await this.#leader();
    const before = await runningContainers(leader, SERVICE);
    const hits = await this.#aim(faults, leader);
    this.#rounds++;
    const startMs = performance.now();
    await Promise.all(
      hits.map(({ fault, victim, victimId }) =>
        strike(fault, {
          cluster: this.#cluster,
          victim,
          disks: this.#disks,
          asked: this.#cluster.managers.filter((manager) =>
            hits.every((hit) => hit.fault === fault || hit.victim !== manager),
          ),
          beforeHeal: async () => {
            await during?.(leader, victimId);
            checkAlive(before.values(), { exempt: exemptOf(hits, fault), during: fault });
          },
        }),
      ),
    );
    const healedMs = performance.now();
    const after = await this.#rest();
    const { containers } = after;
    const what = hits.map(({ fault, victim }) => `${victim.name} ${describeFault(fault)}`);
    checkSame(before, containers, { exempt: exemptOf(hits), during: what.join(", ") });
    const replaced = [...before.keys()].filter((taskId) => !containers.has(taskId)).length;
    const hasNewLeader = (await this.#leader()) !== leader;
    this.#tell(what.join(", "), {
      struckMs: healedMs - startMs,
      restMs: performance.now() - healedMs,
      replaced,
      hasNewLeader,
      waitedFor: after.waitedFor,
    });
    return { hasNewLeader, replaced };
  }

  /** Waits until all replicas run on other nodes than this, as the manager `asked` sees it. */
  async untilMovedFrom(nodeId: string, asked: TestNode): Promise<void> {
    await looking(`all replicas run on other nodes than ${nodeId}`, async () => {
      const containers = [...(await runningContainers(asked, SERVICE)).values()];
      const moved = containers.filter((container) => container.nodeId !== nodeId);
      return moved.length === this.#replicas;
    });
  }

  /** The loads end; every acknowledged write must be there. Then everything is removed, and nothing may be left. */
  async finish(): Promise<ChaosResult> {
    const ledger = await this.#writer?.stop();
    const traffic = await this.#traffic?.stop();
    if (ledger === undefined || traffic === undefined) throw new Error("there was no load");
    this.#traffic = undefined;
    await this.#rest();
    for (const manager of this.#cluster.managers) await checkWrites(manager, ledger);
    await removeAll((await this.#leader()).api());
    for (const [node, before] of this.#baseline)
      await checkLeftovers(this.#cluster.lab, node, before);
    const { services, networks, removed, refused, unknown } = ledger;
    const acknowledged = services.size + networks.size + 2 * removed.size;
    return { rounds: this.#rounds, acknowledged, refused, unknown, traffic };
  }

  /** What the daemons said last, for whoever looks at a failure. */
  logs(lines = 15): string {
    return this.#cluster.nodes.map((node) => `--- ${node.name}\n${node.logTail(lines)}`).join("\n");
  }

  /** Copies the daemons' whole logs to a folder. */
  keepLogs(folder: string): void {
    mkdirSync(folder, { recursive: true });
    for (const node of this.#cluster.nodes)
      copyFileSync(node.logFile, join(folder, `${node.name}.log`));
  }

  async close(): Promise<void> {
    this.#traffic?.kill();
    await this.#writer?.stop();
    await this.#cluster.close();
  }

  async #setUp(): Promise<void> {
    const cluster = this.#cluster;
    await formSwarm(cluster);
    const archive = await busyboxImage();
    for (const node of cluster.nodes) await node.mustMuster("image", "load", "-i", archive);
    for (const node of cluster.nodes)
      this.#baseline.set(node, await settledState(cluster.lab, node));
    const leader = await this.#leader();
    const service = ["service", "create", "--no-resolve-image", "--stop-signal", "SIGKILL"];
    for (const name of [BULK, CHURN])
      await leader.mustMuster(
        ...[...service, "--name", name, "--replicas", "0", "--restart-delay", "1s"],
        ...["busybox", "sleep", "10000"],
      );
    await leader.mustMuster(
      ...service,
      ...["--name", SERVICE, "--replicas", String(this.#replicas), "-p", `${PORT}:80`],
      ...["busybox", "sh", "-c", SERVE],
    );
    await this.#rest();
    this.#writer = new Writer(cluster.managers);
    this.#traffic = new Traffic(cluster, PORT);
  }

  /** Each fault hits another node. */
  async #aim(faults: readonly Fault[], leader: TestNode): Promise<Hit[]> {
    const { managers, workers } = this.#cluster;
    const free = new Set([...managers, ...workers]);
    free.delete(leader);
    const hits: Hit[] = [];
    for (const fault of faults) {
      const nodes = fault.role === "worker" ? workers : managers;
      const others = nodes.filter((node) => free.has(node));
      const victim = fault.role === "leader" ? leader : pick(this.#random, others);
      free.delete(victim);
      hits.push({ fault, victim, victimId: await nodeIdOf(leader, victim) });
    }
    return hits;
  }

  async #leader(): Promise<TestNode> {
    let leader: TestNode | undefined;
    await looking("a leader is known", async () => {
      leader = await findLeader(this.#cluster);
      return leader !== undefined;
    });
    if (leader === undefined) throw new Error("there is no leader");
    return leader;
  }

  async #rest(): Promise<Rest> {
    try {
      return await rest(this.#cluster, SERVICE, this.#replicas);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.logs()}`);
    }
  }

  #tell(what: string, round: RoundResult & Times): void {
    const { struckMs, restMs, replaced, hasNewLeader, waitedFor } = round;
    const number = String(this.#rounds).padStart(2);
    const leader = hasNewLeader ? "a new leader, " : "";
    const times = `lasted ${seconds(struckMs)}, at rest ${seconds(restMs)} after`;
    this.#options.say(`${number} ${what}: ${times}, ${leader}${replaced} containers replaced`);
    if (restMs > SLOW_MS) this.#options.say(`   waited for ${waitedFor}`);
  }
}

interface Hit {
  readonly fault: Fault;
  readonly victim: TestNode;
  readonly victimId: string;
}

/** Nodes whose containers may be replaced by a fault other than `but`; those that crashed have none either way. */
function exemptOf(hits: readonly Hit[], but?: Fault): ReadonlySet<string> {
  const may = hits.filter(
    ({ fault }) => (fault !== but || fault.kind === "crash") && mayReplace(fault),
  );
  return new Set(may.map(({ victimId }) => victimId));
}

interface Times {
  readonly struckMs: number;
  readonly restMs: number;
  readonly waitedFor: string;
}

async function nodeIdOf(asked: TestNode, node: TestNode): Promise<string> {
  const nodes = await asked.api().get<WireNode[]>("/nodes");
  const found = nodes.find(({ Description }) => Description?.Hostname === node.name);
  if (found === undefined) throw new Error(`${node.name} is not in the list of nodes`);
  return found.ID;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
