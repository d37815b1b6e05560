import { type Random, randomInt, seededRandom } from "../../../core/random.ts";
import { bootstrapState, type ConfChange } from "../../../raft-ts/index.ts";
import { SafetyMonitor } from "./safety.ts";
import type { SimMember } from "./sim-member.ts";
import { SimNetwork } from "./sim-network.ts";
import { statusText } from "./trace.ts";

const ELECTION_TICKS = 6;
/** The longest there may be. */
const LEASE_TICKS = ELECTION_TICKS - 1;
const NO_CONTEXT = new Uint8Array(0);
/** Past it the network loses what it carries: nothing may grow without end. */
const PARCELS_MAX = 300;
/** A run checks that logs match this often; at the end too. */
const CHECK_LOGS_EVERY = 50;
/** Long enough for several split votes and a snapshot to everybody. */
const RECOVERY_TICKS_MAX = 400;
const MEMBERS_MAX = 9;

export interface ChaosOptions {
  readonly seed: number;
  readonly members: number;
  readonly steps: number;
  /** Members join, are promoted and removed meanwhile. */
  readonly changesMembers: boolean;
  /** Reads are served by leases; everybody's ticks keep time then. Default false. */
  readonly hasLeases?: boolean;
}

/** What happened in a run, to see that it tried something. */
export interface ChaosReport {
  readonly commits: number;
  readonly elections: number;
  readonly recoveryTicks: number;
}

/**
 * Lets chance do everything a network, disks and operators do, checking safety after each event; then heals all and
 * waits for the group to serve again.
 *
 * @throws {Error} naming the broken promise.
 */
export function runChaos(options: ChaosOptions): ChaosReport {
  const chaos = new Chaos(options);
  for (let i = 0; i < options.steps; i++) chaos.act(i);
  const recoveryTicks = chaos.recover();
  const { commits, elections } = chaos.monitor;
  return { commits, elections, recoveryTicks };
}

interface Event {
  readonly weight: number;
  readonly run: () => void;
}

class Chaos {
  readonly #random: Random;
  readonly #network = new SimNetwork();
  readonly monitor: SafetyMonitor;
  readonly #changesMembers: boolean;
  readonly #hasLeases: boolean;
  readonly #events: readonly Event[];
  #proposals = 0;

  constructor({ seed, members, changesMembers, hasLeases = false }: ChaosOptions) {
    this.#random = seededRandom(seed);
    this.#changesMembers = changesMembers;
    this.#hasLeases = hasLeases;
    this.monitor = new SafetyMonitor(this.#network, { isMembershipFixed: !changesMembers });
    const ids = Array.from({ length: members }, (_, i) => i + 1);
    const stored = bootstrapState(ids.map((raftId) => ({ raftId, context: NO_CONTEXT })));
    for (const id of ids) this.#network.add({ ...this.#memberOptions(id), stored });
    this.#events = this.#makeEvents();
  }

  /** One random event, the work it makes, and the checks. */
  act(step: number): void {
    this.#event();
    this.#network.work();
    this.#losePast(PARCELS_MAX);
    this.monitor.checkLeaders();
    if (step % CHECK_LOGS_EVERY === 0) this.monitor.checkLogs();
  }

  /** Ends all faults. @returns after how many ticks everybody had applied a new entry. */
  recover(): number {
    this.#network.heal();
    for (const member of this.#network.members.values()) if (!member.isUp) member.restart();
    for (let ticks = 0; ticks < RECOVERY_TICKS_MAX; ticks++) {
      this.#network.tick();
      this.#network.stabilize();
      this.monitor.checkLeaders();
      if (this.#isServing()) {
        this.monitor.checkLogs();
        return ticks;
      }
    }
    const members = this.#network.up.map(({ node }) => statusText(node.status())).join("\n");
    throw new Error(`not serving ${RECOVERY_TICKS_MAX} ticks after all faults ended:\n${members}`);
  }

  /** Everything that may happen, and how often beside the others. */
  #makeEvents(): Event[] {
    const pick = (): SimMember | undefined => this.#pick(this.#network.up);
    const events: Event[] = [
      { weight: 500, run: () => this.#deliverAny() },
      { weight: 80, run: () => this.#network.tick() },
      { weight: this.#hasLeases ? 0 : 60, run: () => pick()?.node.tick() },
      { weight: 170, run: () => this.#flushAny() },
      { weight: 70, run: () => this.#propose() },
      { weight: 20, run: () => this.#loseAny() },
      { weight: 20, run: () => this.#deliverCopy() },
      { weight: 7, run: () => pick()?.crash() },
      { weight: 20, run: () => this.#restartAny() },
      { weight: 7, run: () => this.#bounce(pick()) },
      { weight: 6, run: () => this.#partition() },
      { weight: 4, run: () => this.#isolateLeader() },
      { weight: 12, run: () => this.#network.heal() },
      { weight: 10, run: () => pick()?.snapshot(this.#below(4)) },
      { weight: this.#hasLeases ? 150 : 15, run: () => this.#readAny() },
      { weight: 5, run: () => this.#transfer() },
      { weight: 5, run: () => pick()?.node.campaign() },
      { weight: 5, run: () => this.#reportUnreachable() },
    ];
    if (this.#changesMembers) events.push({ weight: 10, run: () => this.#changeMembers() });
    // Each run likes some events and shuns others, so that many runs reach what one mix never would.
    return events.map(({ weight, run }) => ({ weight: weight * 4 ** this.#below(3), run }));
  }

  #event(): void {
    let dice = this.#random.next() * this.#events.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight, run } of this.#events) {
      dice -= weight;
      if (dice >= 0) continue;
      run();
      return;
    }
  }

  #bounce(member: SimMember | undefined): void {
    member?.crash();
    member?.restart();
  }

  #deliverAny(): void {
    const { parcels } = this.#network;
    // Mostly in order, else hardly anything would ever be agreed on.
    const i = this.#below(4) === 0 ? this.#below(parcels.length) : 0;
    const [parcel] = parcels.splice(i, 1);
    if (parcel !== undefined) this.#network.deliver(parcel);
  }

  #loseAny(): void {
    const { parcels } = this.#network;
    for (const parcel of parcels.splice(this.#below(parcels.length + 1), 1)) {
      this.#network.lose(parcel);
    }
  }

  #deliverCopy(): void {
    const parcel = this.#pick(this.#network.parcels);
    if (parcel !== undefined) this.#network.deliver(parcel);
  }

  #flushAny(): void {
    const member = this.#pick(this.#network.up);
    member?.flush(this.#below(member.unflushed + 1));
  }

  #propose(): void {
    const leader = this.#pick(this.#network.leaders);
    const count = 1 + this.#below(3);
    for (let i = 0; i < count; i++) {
      this.#proposals += 1;
      leader?.node.propose(new TextEncoder().encode(`p${this.#proposals}`));
    }
  }

  #restartAny(): void {
    this.#pick([...this.#network.members.values()].filter((member) => !member.isUp))?.restart();
  }

  #readAny(): void {
    for (const { node } of this.#network.leaders) node.readIndex(this.monitor.beginRead());
  }

  /** Who leads does not know it at once; what it answers meanwhile is what reads must be safe from. */
  #isolateLeader(): void {
    const [leader] = this.#network.leaders;
    if (leader !== undefined) this.#network.isolate(leader.id);
  }

  #partition(): void {
    const ids = [...this.#network.members.keys()];
    const some = ids.filter(() => this.#below(2) === 0);
    this.#network.partition(
      some,
      ids.filter((id) => !some.includes(id)),
    );
  }

  #transfer(): void {
    const to = this.#pick([...this.#network.members.keys()]);
    if (to !== undefined) this.#pick(this.#network.leaders)?.node.transferLeadership(to);
  }

  #reportUnreachable(): void {
    const id = this.#pick([...this.#network.members.keys()]);
    if (id !== undefined) this.#pick(this.#network.leaders)?.node.reportUnreachable(id);
  }

  #changeMembers(): void {
    const leader = this.#pick(this.#network.leaders);
    if (leader === undefined) return;
    const first = this.#anyChange(leader);
    const more = this.#below(3) === 0 ? [this.#anyChange(leader)] : [];
    leader.node.proposeConfChange(first, ...more);
  }

  #anyChange(leader: SimMember): ConfChange {
    const { voters, learners } = leader.node.status().confState;
    const raftId = this.#pick([...voters, ...learners]) ?? leader.id;
    const kind = this.#pick(["addLearner", "addVoter", "remove"] as const) ?? "remove";
    if (kind === "remove") return { kind, raftId, context: NO_CONTEXT };
    const promoted = this.#pick(learners);
    if (kind === "addVoter" && promoted !== undefined) {
      return { kind, raftId: promoted, context: NO_CONTEXT };
    }
    return { kind, raftId: this.#newcomer(), context: NO_CONTEXT };
  }

  /** Raft ids are never used twice, so past the limit nobody new is made. */
  #newcomer(): number {
    const id = Math.min(this.#network.members.size + 1, MEMBERS_MAX);
    if (!this.#network.members.has(id)) this.#network.addNewcomer(this.#memberOptions(id));
    return id;
  }

  #memberOptions(id: number): Omit<ConstructorParameters<typeof SimMember>[0], "stored"> {
    return {
      id,
      electionTicks: ELECTION_TICKS,
      random: () => this.#random.next(),
      observer: this.monitor,
      limits: {
        inflightMax: 3,
        appendBytesMax: 100,
        ...(this.#hasLeases && {
          lease: { now: () => this.#network.ticks, ticks: LEASE_TICKS },
        }),
      },
    };
  }

  #losePast(max: number): void {
    const { parcels } = this.#network;
    while (parcels.length > max) {
      const [oldest] = parcels.splice(0, 1);
      if (oldest !== undefined) this.#network.lose(oldest);
    }
  }

  /** Whether a new entry is applied at once by everybody whom the newest leader counts as a member. */
  #isServing(): boolean {
    const [leader] = this.#network.leaders;
    const answer = leader?.node.propose(new TextEncoder().encode("last"));
    if (leader === undefined || answer?.kind !== "proposed") return false;
    this.#network.stabilize();
    const { voters, votersOutgoing, learners } = leader.node.status().confState;
    return [...voters, ...votersOutgoing, ...learners].every(
      (id) => this.#network.get(id).node.status().applied >= answer.index,
    );
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[this.#below(items.length)];
  }

  #below(limit: number): number {
    return randomInt(this.#random, limit);
  }
}
