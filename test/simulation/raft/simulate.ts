import { randomInt, seededRandom } from "../../../core/random.ts";
import { strikeOnce } from "./faults.ts";
import { History } from "./history.ts";
import { type DiskKind, Machine, type World } from "./machine.ts";
import { SimNetwork } from "./sim-network.ts";
import { VirtualTime } from "./virtual-time.ts";

const FORMING_MS = 30_000;
const FAULTS_MS = 6000;
/** Once all is well again, everything must be as it should within this time. */
const LIVENESS_MS = 30_000;
const FAULT_EVERY_MS = 500;
const PROPOSE_EVERY_MS = 40;
const READ_EVERY_MS = 150;
const VALUE_BYTES_MAX = 300;

/** What one run saw, to show that it saw something. */
export interface SimulationReport {
  readonly machines: number;
  readonly acknowledged: number;
  readonly terms: number;
  readonly faults: number;
  /** Of every state every machine was ever in, in order: two runs with the same are the same. */
  readonly fingerprint: number;
}

export interface SimulationOptions {
  /** Broken ones must make runs fail. */
  readonly disks?: DiskKind;
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
  try {
    return await run.run();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`SEED=${seed}: ${why}`, { cause: error });
  }
}

class Simulation {
  readonly #time = new VirtualTime();
  readonly #history = new History();
  readonly #world: World;
  readonly #machines: Machine[] = [];
  #proposed = 0;
  #isFaulty = false;
  #terms = 0;
  #faults = 0;

  constructor(seed: number, { disks = "honest" }: SimulationOptions) {
    const random = seededRandom(seed);
    const network = new SimNetwork(this.#time, seededRandom(random.next() * 2 ** 32), (id, fn) =>
      this.#machines[id - 1]?.run(fn),
    );
    this.#world = { time: this.#time, random, network, history: this.#history, disks };
  }

  async run(): Promise<SimulationReport> {
    await this.#form(3 + 2 * randomInt(this.#world.random, 2));
    for (const machine of this.#machines) machine.backUp();
    this.#every(PROPOSE_EVERY_MS, () => this.#propose());
    this.#every(READ_EVERY_MS, () => this.#read());
    this.#every(FAULT_EVERY_MS, () => {
      if (this.#isFaulty) strikeOnce(this.#world, this.#machines);
      if (this.#isFaulty) this.#faults++;
    });
    this.#isFaulty = true;
    await this.#pass(FAULTS_MS);
    this.#isFaulty = false;
    await this.#recover();
    return {
      machines: this.#machines.length,
      acknowledged: this.#history.acknowledged,
      terms: this.#terms,
      faults: this.#faults,
      fingerprint: this.#history.fingerprint,
    };
  }

  async #form(size: number): Promise<void> {
    for (let raftId = 1; raftId <= size; raftId++) {
      const machine = new Machine(this.#world, raftId);
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
    const value = `${++this.#proposed}`.padEnd(randomInt(random, VALUE_BYTES_MAX), ".");
    leader.log?.propose(Buffer.from(value)).then(
      (index) => this.#history.onAcknowledged(value, index as number),
      // Whether it happened is unknown: the history takes both.
      () => undefined,
    );
  }

  #read(): void {
    const machine = this.#machines[randomInt(this.#world.random, this.#machines.length)];
    if (machine?.log === undefined) return;
    const { state } = machine;
    const asked = this.#history.acknowledgedIndex;
    machine.log.readBarrier().then(
      () => this.#history.onRead(machine.member.raftId, asked, state.index),
      // Only a leader can say.
      () => undefined,
    );
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
      throw new Error(`not within ${withinMs} ms: ${what}`);
  }

  async #pass(durationMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    const done = await this.#time.pass(durationMs, () => {
      this.#noteLeaders();
      return this.#history.violation !== undefined || isDone();
    });
    this.#check();
    return done;
  }

  #noteLeaders(): void {
    for (const { log, member } of this.#machines) {
      const leadership = log?.leadership();
      if (leadership?.isLeader !== true) continue;
      this.#history.onLeads(member.raftId, leadership.term);
      this.#terms = Math.max(this.#terms, leadership.term);
    }
  }

  #check(): void {
    if (this.#history.violation !== undefined) throw new Error(this.#history.violation);
  }
}
