import { type Random, randomInt } from "../../../core/random.ts";

/** Who is hit, by what it is when the round begins. */
export type Role = "leader" | "follower" | "worker";
/** Which packets are lost, seen from the victim. */
export type Direction = "both" | "in" | "out";

/** What happens to one node in one round. */
export type Fault =
  /** `kill -9` of the daemon, started again after a while; its host and containers live on. */
  | { readonly kind: "kill"; readonly role: Role; readonly forMs: number }
  /** The host stops: its daemon, containers and monitors are gone at once, and it starts again. */
  | { readonly kind: "crash"; readonly role: Role; readonly forMs: number }
  /** `kill -9` of all managers' daemons at once. */
  | { readonly kind: "blackout"; readonly role: "leader"; readonly forMs: number }
  /** SIGSTOP and SIGCONT. */
  | { readonly kind: "pause"; readonly role: Role; readonly forMs: number }
  | {
      readonly kind: "partition";
      readonly role: Role;
      readonly direction: Direction;
      readonly forMs: number;
    }
  /** The disk of a manager fills up until its daemon ends, a worker's while it is given tasks; then there is room again. */
  | { readonly kind: "fullDisk"; readonly role: Role };

interface Range {
  readonly minMs: number;
  readonly maxMs: number;
}

const DOWN: Range = { minMs: 200, maxMs: 2_500 };
/** A leader's silence is answered by an election. */
const PAUSE_LEADER: Range = { minMs: 1_000, maxMs: 3_000 };
/** Shorter than the grace of a silent daemon whose host answers. */
const PAUSE_OTHERS: Range = { minMs: 1_000, maxMs: 6_000 };
/** No more than a hiccup: nothing may be replaced. */
const BLINK: Range = { minMs: 300, maxMs: 900 };
/** Long enough to be down and replaced. */
const CUT: Range = { minMs: 3_500, maxMs: 6_000 };
/** Longer than a new leader waits for nodes it has not heard of. */
const LONG_CUT: Range = { minMs: 11_000, maxMs: 13_000 };

type Draw = (random: Random) => Fault;

const ROLES: readonly Role[] = ["leader", "follower", "worker"];
const DIRECTIONS: readonly Direction[] = ["both", "in", "out"];

/** Every kind there is; a deck is dealt to its end before it is shuffled again. */
const DECK: readonly Draw[] = [
  ...ROLES.map(
    (role): Draw =>
      (random) => ({ kind: "kill", role, forMs: within(random, DOWN) }),
  ),
  (random) => ({
    kind: "crash",
    role: pick(random, ["leader", "follower"]),
    forMs: within(random, DOWN),
  }),
  (random) => ({ kind: "crash", role: "worker", forMs: within(random, DOWN) }),
  (random) => ({ kind: "blackout", role: "leader", forMs: within(random, DOWN) }),
  (random) => ({ kind: "pause", role: "leader", forMs: within(random, PAUSE_LEADER) }),
  ...(["follower", "worker"] as const).map(
    (role): Draw =>
      (random) => ({ kind: "pause", role, forMs: within(random, PAUSE_OTHERS) }),
  ),
  ...ROLES.flatMap((role) =>
    DIRECTIONS.map(
      (direction): Draw =>
        (random) => ({ kind: "partition", role, direction, forMs: within(random, CUT) }),
    ),
  ),
  (random) => ({
    kind: "partition",
    role: pick(random, ROLES),
    direction: "both",
    forMs: within(random, BLINK),
  }),
  (random) => ({ kind: "fullDisk", role: pick(random, ["leader", "follower"] as const) }),
  () => ({ kind: "fullDisk", role: "worker" }),
  (random) => ({
    kind: "partition",
    role: "leader",
    direction: "both",
    forMs: within(random, LONG_CUT),
  }),
];

/** How many rounds it takes to see every kind once. */
export const DECK_ROUNDS = DECK.length;

export interface RoundsOptions {
  readonly rounds: number;
  /** Only faults of this kind. */
  readonly only?: string | undefined;
  /** How many may strike together; 1 if absent. */
  readonly atOnce?: number;
  readonly managers: number;
}

/** The faults of so many rounds, the same for the same seed. A majority of the managers is always left, but for a blackout. */
export function planRounds(random: Random, options: RoundsOptions): Fault[][] {
  const { rounds, only, atOnce = 1, managers } = options;
  const isWanted = ({ kind }: Fault) => only === undefined || kind === only;
  const planned: Fault[][] = [[]];
  while (planned.length <= rounds) {
    const dealt = shuffled(random, DECK).map((draw) => draw(random));
    if (!dealt.some(isWanted)) throw new RangeError(`there is no fault of kind ${only}`);
    for (const fault of dealt.filter(isWanted)) {
      const last = planned.at(-1);
      if (last !== undefined && last.length < atOnce && mayJoin(fault, last, managers))
        last.push(fault);
      else planned.push([fault]);
    }
  }
  return planned.filter((faults) => faults.length > 0).slice(0, rounds);
}

function mayJoin(fault: Fault, faults: readonly Fault[], managers: number): boolean {
  const all = [...faults, fault];
  const count = (isCounted: (one: Fault) => boolean) => all.filter(isCounted).length;
  return (
    count(({ kind }) => kind === "blackout") === 0 &&
    count(({ kind }) => kind === "fullDisk") <= 1 &&
    count(({ role }) => role === "leader") <= 1 &&
    count(({ role }) => role !== "worker") * 2 < managers
  );
}

/** Silence or absence after which a node's tasks may be replaced, with room for retransmissions of what was lost. */
export const PATIENCE_MS = 1_000;

/** Whether the victim's containers may be replaced: the others never. */
export function mayReplace(fault: Fault): boolean {
  return fault.kind === "crash" || (fault.kind === "partition" && fault.forMs > PATIENCE_MS);
}

export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "kill":
      return `kill -9 of the ${fault.role}'s daemon, back after ${fault.forMs} ms`;
    case "crash":
      return `crash of the ${fault.role}'s host, back after ${fault.forMs} ms`;
    case "blackout":
      return `kill -9 of all managers' daemons, back after ${fault.forMs} ms`;
    case "pause":
      return `SIGSTOP of the ${fault.role} for ${fault.forMs} ms`;
    case "partition":
      return `partition of the ${fault.role} (${fault.direction}) for ${fault.forMs} ms`;
    case "fullDisk":
      return `disk of the ${fault.role} full`;
  }
}

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[randomInt(random, items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

function within(random: Random, { minMs, maxMs }: Range): number {
  return minMs + randomInt(random, maxMs - minMs + 1);
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => {
    const [item] = rest.splice(randomInt(random, rest.length), 1);
    if (item === undefined) throw new RangeError("the deck has run out");
    return item;
  });
}
