import type { Random } from "../../../core/random.ts";
import type { Store } from "../../../manager/store/store.ts";
import type { View } from "../../../manager/store/tables.ts";
import { Recorder } from "../linearizability/recorder.ts";
import type { SimNetwork } from "../raft/sim-network.ts";
import type { VirtualTime } from "../raft/virtual-time.ts";
import { Agreement } from "./agreement.ts";
import type { ServiceOp } from "./named-services.ts";
import { NetworkInvariants } from "./network-invariants.ts";
import { whatRoleIsMissing } from "./role-invariants.ts";
import type { SimNode } from "./sim-node.ts";
import { TaskInvariants } from "./task-invariants.ts";

/** Machines have numbers below this. */
const MACHINES_LIMIT = 100;

/** What all nodes of one run share. */
export class World {
  readonly clusterId = "cluster00000000000000000";
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly nodes: SimNode[] = [];
  /** What clients asked and heard. */
  readonly clients = new Recorder<ServiceOp>();
  readonly agreement = new Agreement((what) => this.violate(what));
  readonly tasks = new TaskInvariants(this);
  readonly networks = new NetworkInvariants(this);
  /** Whether some wall clock was set in this run: waits by such a clock may end early. */
  wasClockSet = false;
  #raftIds = 0;
  #violation: string | undefined;
  #appliedIndex = 0;
  #latest: View | undefined;

  constructor(time: VirtualTime, random: Random, network: SimNetwork) {
    this.time = time;
    this.random = random;
    this.network = network;
  }

  /** The first promise that was broken. */
  get violation(): string | undefined {
    return this.#violation;
  }

  violate(what: string): void {
    this.#violation ??= what;
  }

  /** What users have declared so far, to compare. */
  declared(): string {
    const { services, nodes } = this.latest ?? {};
    const specs = [...(services?.values() ?? []), ...(nodes?.values() ?? [])].map(
      ({ spec }) => spec,
    );
    return JSON.stringify(specs);
  }

  /** EventuallyAsDesired. @returns what is not yet so. */
  whatIsMissing(): string | undefined {
    const { view } = this;
    if (view === undefined) return "nobody leads";
    return (
      whatRoleIsMissing(this, view) ??
      this.tasks.whatIsMissing(view) ??
      this.networks.whatIsMissing(view)
    );
  }

  /** Whoever has this address. */
  find(addr: string): SimNode | undefined {
    return this.nodes.find((node) => node.addr === addr);
  }

  node(nodeId: string): SimNode | undefined {
    return this.nodes.find((one) => one.nodeId === nodeId);
  }

  /** Those whose manager runs. */
  get managers(): readonly SimNode[] {
    return this.nodes.filter(({ manager, host }) => host.isUp && manager.running !== undefined);
  }

  /** Never given before; tells the machine. */
  newRaftId(machine: number): number {
    return machine + MACHINES_LIMIT * this.#raftIds++;
  }

  machineOf(raftId: number): number {
    return raftId % MACHINES_LIMIT;
  }

  /** The one that leads in the latest term. */
  get leader(): SimNode | undefined {
    const leaders = this.nodes.filter(({ isLeading }) => isLeading);
    const termOf = (node: SimNode) => node.manager.running?.log.leadership().term ?? 0;
    return leaders.sort((a, b) => termOf(b) - termOf(a))[0];
  }

  /** The state as the leader has it. */
  get view(): View | undefined {
    return this.leader?.manager.running?.store.view();
  }

  /** The state after the last entry anybody has applied: nobody knows more. */
  get latest(): View | undefined {
    return this.#latest;
  }

  /** A manager has applied an entry; what the store became is looked at once for all of them. */
  onApplied(_nodeId: string, store: Store, index: number): void {
    if (index <= this.#appliedIndex) return;
    this.#appliedIndex = index;
    this.#latest = store.view();
    this.tasks.onApplied(store.view());
    this.networks.onApplied(store.view());
  }
}
