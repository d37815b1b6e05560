import { randomInt, seededRandom } from "../../../core/random.ts";
import type { RegisterOp } from "../linearizability/register.ts";
import { areWhole, type Kind, mend, strikeOnce } from "./faults.ts";
import { History } from "./history.ts";
import { narrowAppends, observeReadys, RaftInvariants } from "./invariants.ts";
import { type DiskKind, type Leases, Machine, type World } from "./machine.ts";
import { SimNetwork } from "./sim-network.ts";
import { VirtualTime } from "./virtual-time.ts";

const FORMING_MS = 30_000;
const FAULTS_MS = 6000;
/** Once all is well again, everything must be as it should within this time. */
const LIVENESS_MS = 30_000;
const ONE_CRASH_MS = 1500;
const FAULT_EVERY_MS = 500;
const PROPOSE_EVERY_MS = 40;
const VALUE_BYTES_MAX = 300;
/** Few, so that clients meet at them; and not too many clients at one, or nobody could say what orders there are. */
const KEYS = 4;
const CLIENTS_PER_KEY = 4;
/** How often clients read, and how long they wait for who may be dead. A wrong lease is so for moments only. */
const PACE = { readEveryMs: 150, patienceMs: 2000 };
const LEASE_PACE = { readEveryMs: 15, patienceMs: 300 };
/** Where nobody looks. */
const BUSY_KEY = "x";
/** One entry at a time, a few, all: logs differ in more ways where they travel in parts. */
const APPEND_BYTES = [1, 700, 1024 * 1024];
const VOTER_OFF_MAX_MS = 50;
const MEND_EVERY_MS = 300;

/** What one run saw, to show that it saw something. */
export interface SimulationReport {
  readonly machines: number;
  /** Members that were replaced because their disks were lost. */
  readonly replaced: number;
  readonly acknowledged: number;
  readonly terms: number;
  readonly faults: number;
  /** Of every state every machine was ever in, in order: two runs with the same are the same. */
  readonly fingerprint: number;
}

export interface SimulationOptions {
  /** Broken ones must make runs fail. */
  readonly disks?: DiskKind;
  /** Default none; beyond their bound runs must fail. */
  readonly leases?: Leases;
  /** Instead of all other faults: the first machine crashes in the middle of this disk call, counted from 1. */
  readonly crashAtCall?: number;
}

/**
 * One run: a group forms, suffers faults while clients write and read, then all faults end and it must recover.
 *
 * @throws {Error} naming the seed and the first broken promise.
 */
export async function simulate(
  seed: number,
  options: SimulationOptions = {},
): Promise<SimulationReport> {
  const run = new Simulation(seed, options);
  const stopObserving = observeReadys((node, ready) => run.invariants.onReady(node, ready));
  const stopNarrowing = narrowAppends(run.appendBytesMax);
  try {
    return await run.run();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`SEED=${seed}: ${why}`, { cause: error });
  } finally {
    stopObserving();
    stopNarrowing();
  }
}

class Simulation {
  readonly #time = new VirtualTime();
  readonly #history = new History();
  readonly invariants = new RaftInvariants((what) => this.#history.violate(what));
  readonly #world: World;
  readonly #machines: Machine[] = [];
  readonly #clientsAt = new Map<string, number>();
  #proposed = 0;
  #isFaulty = false;
  #faults = 0;
  readonly #kind: Kind;
  readonly #pace: typeof PACE;
  readonly #options: SimulationOptions;
  readonly appendBytesMax: number;

  constructor(seed: number, options: SimulationOptions) {
    const { disks = "honest", leases = "none" } = options;
    this.#options = options;
    this.#pace = leases === "none" ? PACE : LEASE_PACE;
    const random = seededRandom(seed);
    const network = new SimNetwork(this.#time, seededRandom(random.next() * 2 ** 32), (id, fn) =>
      this.#machines.find(({ member }) => member.raftId === id)?.run(fn),
    );
    this.#world = {
      time: this.#time,
      random,
      network,
      history: this.#history,
      disks,
      leases,
      raftIds: 0,
      votersToCrash: 0,
    };
    this.invariants.onVoted = (voter) => this.#onVoted(voter);
    this.appendBytesMax = APPEND_BYTES[randomInt(random, APPEND_BYTES.length)] ?? 1;
    this.#kind = random.next() < 0.5 ? "membership" : "damage";
  }

  async run(): Promise<SimulationReport> {
    const size = 3 + 2 * randomInt(this.#world.random, 2);
    await this.#form(size);
    for (const machine of this.#machines) machine.backUp();
    this.#every(PROPOSE_EVERY_MS, () => this.#propose());
    this.#every(this.#pace.readEveryMs, () => this.#read());
    this.#every(FAULT_EVERY_MS, () => {
      if (this.#isFaulty) strikeOnce(this.#world, this.#machines, this.#kind);
      if (this.#isFaulty) this.#faults++;
    });
    if (this.#kind === "damage") {
      this.#every(MEND_EVERY_MS, () => mend(this.#world, this.#machines));
    }
    await this.#suffer();
    await this.#recover();
    return {
      machines: this.#machines.length,
      acknowledged: this.#history.acknowledged,
      replaced: this.#world.raftIds - size,
      terms: this.invariants.terms,
      faults: this.#faults,
      fingerprint: this.#history.fingerprint,
    };
  }

  async #suffer(): Promise<void> {
    const { crashAtCall } = this.#options;
    if (crashAtCall === undefined) {
      this.#isFaulty = true;
      await this.#pass(FAULTS_MS);
      this.#isFaulty = false;
    } else {
      this.#machines[0]?.crashAtCall(crashAtCall);
      await this.#pass(ONE_CRASH_MS);
    }
  }

  async #form(size: number): Promise<void> {
    while (this.#machines.length < size) {
      const machine = new Machine(this.#world, ++this.#world.raftIds);
      this.#machines.push(machine);
      machine.boot();
      await this.#until("it starts", FORMING_MS, () => machine.log !== undefined);
      const [first] = this.#machines;
      if (first === machine) {
        await this.#until(
          "it leads",
          FORMING_MS,
          () => machine.log?.leadership().isLeader === true,
        );
        continue;
      }
      let outcome: unknown = "pending";
      first?.log?.addMember(machine.member).then(
        () => {
          outcome = "added";
        },
        (error: unknown) => {
          outcome = error;
        },
      );
      await this.#until("it is added", FORMING_MS, () => outcome !== "pending");
      if (outcome !== "added") throw outcome;
    }
  }

  /** All faults end; then everybody leads, follows and agrees. */
  async #recover(): Promise<void> {
    this.#world.network.heal();
    for (const machine of this.#machines) {
      machine.recover();
      if (!machine.isOn) machine.boot();
    }
    if (this.#kind === "damage") {
      await this.#until("who lost its disk is replaced", LIVENESS_MS, () =>
        areWhole(this.#machines),
      );
    }
    const before = this.#history.acknowledged;
    await this.#until("writes are acknowledged again", LIVENESS_MS, () => {
      return this.#history.acknowledged > before;
    });
    const target = this.#history.acknowledgedIndex;
    const areMembersEven = (): boolean =>
      this.#members().length > 0 && this.#members().every(({ state }) => state.index >= target);
    await this.#until("all members have what was acknowledged", LIVENESS_MS, areMembersEven);
    for (const { member, state } of this.#members()) {
      this.#history.checkDurable(member.raftId, state, target);
    }
    this.#history.checkLinearizable();
    this.#check();
  }

  /** Who takes part, as the leader says: some were removed. */
  #members(): readonly Machine[] {
    const leader = this.#machines.find(({ log }) => log?.leadership().isLeader === true);
    const ids = new Set(leader?.log?.members().map(({ raftId }) => raftId));
    return this.#machines.filter(({ member }) => ids.has(member.raftId));
  }

  #propose(): void {
    const { random } = this.#world;
    const leaders = this.#machines.filter(({ log }) => log?.leadership().isLeader);
    const leader = leaders[randomInt(random, leaders.length)];
    if (leader === undefined) return;
    const key = this.#chooseKey();
    const value = `${key}=${++this.#proposed}`.padEnd(randomInt(random, VALUE_BYTES_MAX), ".");
    const write = { kind: "write", key, value } as const;
    const heard = this.#begin(write);
    leader.log?.propose(Buffer.from(value)).then(
      (index) => {
        heard(write);
        this.#history.onAcknowledged(value, index as number);
      },
      // Whether it happened is unknown: the history takes both.
      () => heard(undefined),
    );
  }

  #read(): void {
    const machine = this.#machines[randomInt(this.#world.random, this.#machines.length)];
    if (machine?.log === undefined) return;
    const { state } = machine;
    const key = this.#chooseKey();
    const heard = this.#begin({ kind: "read", key, value: undefined });
    machine.log.readBarrier().then(
      () => heard({ kind: "read", key, value: state.read(key) }),
      // Only a leader can say.
      () => heard(undefined),
    );
  }

  #onVoted(voter: number): void {
    const { time, random } = this.#world;
    if (this.#world.votersToCrash <= 0 || !this.#isFaulty) return;
    this.#world.votersToCrash--;
    const machine = this.#machines.find(({ member }) => member.raftId === voter);
    time.after(0, () => machine?.crashFor(random.next() * VOTER_OFF_MAX_MS));
  }

  #chooseKey(): string {
    const key = `k${randomInt(this.#world.random, KEYS)}`;
    return (this.#clientsAt.get(key) ?? 0) < CLIENTS_PER_KEY ? key : BUSY_KEY;
  }

  /** A client asks; the returned function takes what it heard, undefined when that was no answer. */
  #begin(op: RegisterOp): (heard: RegisterOp | undefined) => void {
    const { key } = op;
    if (key === BUSY_KEY) return () => undefined;
    this.#clientsAt.set(key, (this.#clientsAt.get(key) ?? 0) + 1);
    const heard = this.#history.clients.begin(op);
    let isOver = false;
    const end = (answer: RegisterOp | undefined): void => {
      if (isOver) return;
      isOver = true;
      this.#clientsAt.set(key, (this.#clientsAt.get(key) ?? 1) - 1);
      if (answer !== undefined) heard(answer);
    };
    this.#time.after(this.#pace.patienceMs, () => end(undefined));
    return end;
  }

  /** At irregular times, `intervalMs` apart on average. */
  #every(intervalMs: number, fn: () => void): void {
    this.#time.after(2 * intervalMs * this.#world.random.next(), () => {
      fn();
      this.#every(intervalMs, fn);
    });
  }

  async #until(what: string, withinMs: number, isDone: () => boolean): Promise<void> {
    if (!(await this.#pass(withinMs, isDone)))
      throw new Error(`Liveness: not within ${withinMs} ms: ${what}`);
  }

  async #pass(durationMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    const done = await this.#time.pass(
      durationMs,
      () => this.#history.violation !== undefined || isDone(),
    );
    this.#check();
    return done;
  }

  #check(): void {
    if (this.#history.violation !== undefined) throw new Error(this.#history.violation);
  }
}
