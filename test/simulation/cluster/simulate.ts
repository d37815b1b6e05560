import { randomInt, seededRandom } from "../../../core/random.ts";
import { ingressNetwork } from "../../../manager/allocator/network-plan.ts";
import { newNode } from "../../../manager/ca/ca-service.ts";
import type { Proposals } from "../../../manager/dispatcher/proposals.ts";
import { DEFAULT_CLUSTER_SPEC } from "../../../manager/genesis.ts";
import { createChange } from "../../../manager/store/changes.ts";
import { Proposer } from "../../../manager/store/proposer.ts";
import { Cluster, Network, NodeAvailability, NodeRole } from "../../../proto/gen/objects.ts";
import { checkLinearizable } from "../linearizability/checker.ts";
import { observeReadys, RaftInvariants } from "../raft/invariants.ts";
import { SimNetwork } from "../raft/sim-network.ts";
import { VirtualTime } from "../raft/virtual-time.ts";
import { CLIENTS_NETWORK, Clients } from "./clients.ts";
import { healAll, isWhole, noteDisturbed, strikeOnce } from "./faults.ts";
import { NAMED_SERVICES } from "./named-services.ts";
import { SimNode } from "./sim-node.ts";
import { observeProposals } from "./transitions.ts";
import { World } from "./world.ts";

const FORMING_MS = 30_000;
const FAULTS_MS = 12_000;
/** Once all is well again, everything must be as declared within this time. */
const LIVENESS_MS = 60_000;
/** And stay so. */
const STAYS_MS = 2_000;
const FAULT_EVERY_MS = 900;
const ACT_EVERY_MS = 120;
const CHECK_EVERY_MS = 200;
const WRITE_BACK_EVERY_MS = 3_000;
/** As in a swarm that is set to notice losses soon: runs are shorter. */
const LIVENESS = { heartbeatMs: 500, downAfterMs: 2_000, restartGraceMs: 4_000 };

/** What one run saw, to show that it saw something. */
export interface ClusterReport {
  readonly managers: number;
  readonly nodes: number;
  readonly faults: number;
  readonly answered: number;
  readonly started: number;
  readonly terms: number;
  readonly virtualSeconds: number;
  /** Of every state every manager was in, in order: two runs with the same are the same. */
  readonly fingerprint: number;
}

/**
 * One run of a whole swarm: it forms, suffers faults while users declare services, then all faults end and it must become
 * what was declared.
 *
 * @throws {Error} naming the seed and the first broken promise.
 */
export async function simulateCluster(seed: number): Promise<ClusterReport> {
  const run = new ClusterSimulation(seed);
  const ends = [
    observeReadys((node, ready) => run.raft.onReady(node, ready)),
    observeProposals(
      (component, changes, view) => run.world.tasks.onProposed(component, changes, view),
      (_proposals: Proposals) => run.world.view,
    ),
  ];
  try {
    return await run.run();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`SEED=${seed}: ${why}`, { cause: error });
  } finally {
    for (const end of ends) end();
  }
}

class ClusterSimulation {
  readonly world: World;
  readonly raft = new RaftInvariants((what) => this.world.violate(what));
  readonly #time = new VirtualTime();
  readonly #clients: Clients;
  #isFaulty = false;
  #faults = 0;

  constructor(seed: number) {
    const random = seededRandom(seed);
    const network = new SimNetwork(
      this.#time,
      seededRandom(random.next() * 2 ** 32),
      (number, fn) => this.world.nodes[number - 1]?.host.daemon()(fn),
      (raftId) => this.world.machineOf(raftId),
    );
    this.world = new World(this.#time, random, network);
    this.#clients = new Clients(this.world);
  }

  async run(): Promise<ClusterReport> {
    const { random } = this.world;
    const managers = random.next() < 0.75 ? 3 : 5;
    const workers = 2 + randomInt(random, 3);
    await this.#form(managers, workers);
    this.#every(CHECK_EVERY_MS, () => this.#look());
    this.#every(WRITE_BACK_EVERY_MS, () => {
      for (const node of this.world.nodes) node.writeBack();
    });
    this.#every(ACT_EVERY_MS, () => {
      if (this.#isFaulty) this.#clients.act();
    });
    this.#every(FAULT_EVERY_MS, () => {
      if (!this.#isFaulty) return;
      this.#faults++;
      strikeOnce(this.world, this.#clients);
    });
    this.#isFaulty = true;
    await this.#pass(FAULTS_MS);
    this.#isFaulty = false;
    await this.#recover();
    return {
      managers,
      nodes: managers + workers,
      faults: this.#faults,
      answered: this.#clients.answered,
      started: this.world.nodes.reduce(
        (sum, { containers }) => sum + containers.all.starts.length,
        0,
      ),
      terms: this.raft.terms,
      virtualSeconds: Math.round(this.#time.monotonicMs() / 1000),
      fingerprint: this.world.agreement.fingerprint,
    };
  }

  async #form(managers: number, workers: number): Promise<void> {
    const { world } = this;
    const numbers = Array.from({ length: managers + workers }, (_, i) => i + 1);
    const addrs = numbers.slice(0, managers).map((number) => `10.0.0.${number}:2377`);
    for (const number of numbers) {
      const role = number <= managers ? NodeRole.MANAGER : NodeRole.WORKER;
      world.nodes.push(new SimNode(world, number, { role, managers: addrs }));
    }
    const [first] = world.nodes;
    first?.boot();
    await this.#until("the first manager leads", FORMING_MS, () => first?.isLeading === true);
    await this.#settle("the swarm begins", this.#begin(first));
    for (const node of world.nodes.slice(1)) node.boot();
    await this.#until("all managers join", FORMING_MS, () => isWhole(world));
  }

  async #begin(first: SimNode | undefined): Promise<void> {
    const log = first?.manager.running?.log;
    if (first === undefined || log === undefined) throw new Error("there is no first manager");
    const proposer = new Proposer(log, first.host.clock());
    const nodes = this.world.nodes.map((node) => {
      const { nodeId, role } = node;
      return newNode({ nodeId, role, availability: NodeAvailability.ACTIVE });
    });
    const cluster = Cluster.fromPartial({
      id: this.world.clusterId,
      spec: { ...DEFAULT_CLUSTER_SPEC, ...LIVENESS, taskHistoryLimit: 2 },
      defaultAddressPools: ["10.0.0.0/8"],
      subnetSize: 24,
      dataPathPort: 4789,
    });
    await proposer.propose([
      createChange("cluster", cluster),
      createChange("network", ingressNetwork("ingress")),
      createChange("network", Network.fromPartial({ id: "network0", spec: CLIENTS_NETWORK })),
      ...nodes.map((node) => createChange("node", node)),
    ]);
  }

  /** All faults end; then everything becomes as it was declared, and nothing that was acknowledged is lost. */
  async #recover(): Promise<void> {
    const { world } = this;
    healAll(world);
    await this.#until("somebody leads", LIVENESS_MS, () => world.leader !== undefined);
    for (const { nodeId } of world.nodes) {
      await this.#until(`${nodeId} takes tasks again`, LIVENESS_MS, () => {
        const node = world.view?.nodes.get(nodeId);
        if (node?.spec.availability === NodeAvailability.ACTIVE) return true;
        if (world.random.next() < 0.02) {
          this.#clients.setNode(nodeId, { availability: NodeAvailability.ACTIVE });
        }
        return false;
      });
    }
    await this.#becomeAsDeclared();
    const control = world.leader?.manager.running?.control;
    if (control !== undefined) await this.#settle("reads", this.#clients.readAll(control));
    const verdict = checkLinearizable(NAMED_SERVICES, world.clients.operations);
    if (verdict.kind !== "linearizable") {
      world.violate(`Linearizable: ${verdict.kind} for ${verdict.part}`);
    }
    this.#check();
  }

  /** EventuallyAsDesired, and it stays so until somebody declares something else: what was asked during the faults may come late. */
  async #becomeAsDeclared(): Promise<void> {
    const { world } = this;
    let missing: string | undefined;
    const isAsDeclared = (): boolean => {
      missing = world.whatIsMissing();
      return missing === undefined;
    };
    for (;;) {
      if (!(await this.#pass(LIVENESS_MS, isAsDeclared))) {
        throw new Error(`EventuallyAsDesired: not within ${LIVENESS_MS} ms: ${missing}`);
      }
      const declared = world.declared();
      await this.#pass(STAYS_MS);
      if (isAsDeclared()) return;
      if (world.declared() !== declared) continue;
      throw new Error(`EventuallyAsDesired: but not for long: ${missing}`);
    }
  }

  #look(): void {
    noteDisturbed(this.world);
    this.world.tasks.checkContainers();
  }

  /** At irregular times, `intervalMs` apart on average. */
  #every(intervalMs: number, fn: () => void): void {
    this.#time.after(2 * intervalMs * this.world.random.next(), () => {
      fn();
      this.#every(intervalMs, fn);
    });
  }

  async #settle(what: string, work: Promise<unknown> | undefined): Promise<void> {
    let outcome: unknown = "pending";
    work?.then(
      () => {
        outcome = "done";
      },
      (error: unknown) => {
        outcome = error;
      },
    );
    await this.#until(what, FORMING_MS, () => outcome !== "pending");
    if (outcome !== "done") throw outcome;
  }

  async #until(what: string, withinMs: number, isDone: () => boolean): Promise<void> {
    if (await this.#pass(withinMs, isDone)) return;
    throw new Error(`Liveness: not within ${withinMs} ms: ${what}`);
  }

  async #pass(durationMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    const done = await this.#time.pass(
      durationMs,
      () => this.world.violation !== undefined || isDone(),
    );
    this.#check();
    return done;
  }

  #check(): void {
    if (this.world.violation !== undefined) throw new Error(this.world.violation);
  }
}
