import { errorCode } from "../../../core/errors.ts";
import { type Random, randomInt } from "../../../core/random.ts";
import { Machine, type World } from "./machine.ts";
import { someWeather } from "./sim-network.ts";

const OFF_MAX_MS = 2500;
const PAUSE_MAX_MS = 3000;
const SLOW_DISK_MS = 200;
/** Members come and go, but a run has no more machines than this. */
const MACHINES_MAX = 7;

const DISPUTE_DELAY_MS = 500;
const SWIZZLE_STEP_MS = 400;
const CALLS_TO_CRASH_MAX = 40;
const WALL_JUMP_MS = 3_600_000;

interface Fault {
  readonly weight: number;
  readonly strike: (world: World, machines: Machine[]) => void;
}

/** What can go wrong in every run, and how often beside the others. */
const ALWAYS: readonly Fault[] = [
  { weight: 5, strike: crashOne },
  { weight: 1, strike: crashAll },
  { weight: 3, strike: splitNetwork },
  { weight: 2, strike: cutOneWay },
  { weight: 3, strike: ({ network }) => network.heal() },
  { weight: 2, strike: changeWeather },
  { weight: 2, strike: pauseOne },
  { weight: 1, strike: slowOneDisk },
  { weight: 1, strike: handOver },
  { weight: 3, strike: crashInWrite },
  { weight: 1, strike: swizzle },
  { weight: 2, strike: disputeElection },
  { weight: 1, strike: setClock },
  { weight: 1, strike: fillDisk },
  { weight: 1, strike: breakSync },
];

/** What can go wrong beside that, of one kind in one run: who is damaged must not meet too few others. */
const KINDS = {
  membership: [
    { weight: 1, strike: addMachine },
    { weight: 1, strike: removeMachine },
  ],
  damage: [
    { weight: 2, strike: damageOne },
    { weight: 1, strike: loseOneDisk },
  ],
} satisfies Record<string, readonly Fault[]>;

export type Kind = keyof typeof KINDS;

/** One fault, chosen by the seed; `machines` may grow. */
export function strikeOnce(world: World, machines: Machine[], kind: Kind): void {
  const faults = [...ALWAYS, ...KINDS[kind]];
  const total = faults.reduce((sum, { weight }) => sum + weight, 0);
  let left = randomInt(world.random, total);
  for (const { weight, strike } of faults) {
    left -= weight;
    if (left >= 0) continue;
    strike(world, machines);
    return;
  }
}

function crashOne(world: World, machines: readonly Machine[]): void {
  const machine = pick(world.random, machines);
  machine?.crashFor(world.random.next() * OFF_MAX_MS);
}

/** A power cut of the room: all come back, at different times. */
function crashAll(world: World, machines: readonly Machine[]): void {
  for (const machine of machines) machine.crashFor(world.random.next() * OFF_MAX_MS);
}

/** Wherever it happens to be: every write, sync, rename and removal is the last one of some run. */
function crashInWrite({ random }: World, machines: readonly Machine[]): void {
  pick(random, machines)?.crashAtCall(1 + randomInt(random, CALLS_TO_CRASH_MAX));
}

/** The leader is cut off while votes travel slowly, so that several stand in one term; and voters forget what they can. */
function disputeElection(world: World, machines: readonly Machine[]): void {
  const leader = findLeader(machines);
  if (leader === undefined) return;
  const others = machines.filter((machine) => machine !== leader).map(idOf);
  world.network.cut([idOf(leader)], others);
  world.network.weather = { loss: 0, doubling: 0, delayMaxMs: DISPUTE_DELAY_MS };
  world.votersToCrash = machines.length;
}

function swizzle({ network }: World, machines: readonly Machine[]): void {
  network.swizzle(machines.map(idOf), SWIZZLE_STEP_MS);
}

/** Only records people read show it: nothing may be decided by the wall clock. */
function setClock({ random }: World, machines: readonly Machine[]): void {
  const machine = pick(random, machines);
  if (machine !== undefined) machine.wallOffsetMs = (2 * random.next() - 1) * WALL_JUMP_MS;
}

function fillDisk({ random }: World, machines: readonly Machine[]): void {
  pick(random, machines)?.failDisk({ write: "ENOSPC", create: "ENOSPC" });
}

/** After it nobody knows what is durable: it must stop and not try again. */
function breakSync({ random }: World, machines: readonly Machine[]): void {
  pick(random, machines)?.failDisk({ sync: "EIO" });
}

function damageOne({ random }: World, machines: readonly Machine[]): void {
  hurt(random, machines, (machine) => machine.flipBit());
}

function loseOneDisk({ random }: World, machines: readonly Machine[]): void {
  hurt(random, machines, (machine) => machine.loseDisk());
}

/** One at a time, and only of a whole group, or nobody could answer for what was acknowledged. */
function hurt(random: Random, machines: readonly Machine[], how: (machine: Machine) => void): void {
  const machine = pick(random, machines);
  if (machine?.isOn !== true || !areWhole(machines)) return;
  how(machine);
  machine.boot();
}

/** Whether every machine takes part with a vote, as the leader knows. */
export function areWhole(machines: readonly Machine[]): boolean {
  const members = findLeader(machines)?.log?.members() ?? [];
  const voters = members.filter(({ learner }) => learner !== true);
  const areVoters = machines.every((one) => voters.some(({ raftId }) => raftId === idOf(one)));
  return areVoters && members.length === machines.length && machines.every(({ isLost }) => !isLost);
}

/** What an operator does about machines whose disks are lost: takes each out of the group and puts a new one in its place. */
export function mend(world: World, machines: Machine[]): void {
  const leader = findLeader(machines);
  if (leader?.log === undefined) return;
  const members = leader.log.members();
  for (const machine of [...machines]) {
    const member = members.find(({ raftId }) => raftId === idOf(machine));
    if (machine.isLost && member !== undefined) {
      ignoreOutcome(leader.log.removeMember(idOf(machine)));
    } else if (machine.isLost || machine.isRefused) {
      machine.crash();
      machines.splice(machines.indexOf(machine), 1);
      addMachine(world, machines);
    } else if (member?.learner !== false && machine.isOn) {
      join(leader, machine);
    }
  }
}

function splitNetwork({ network, random }: World, machines: readonly Machine[]): void {
  const here = machines.filter(() => random.next() < 0.5).map(idOf);
  const there = machines.map(idOf).filter((id) => !here.includes(id));
  network.cut(here, there);
  network.cut(there, here);
}

/** One hears nobody, or nobody hears it. */
function cutOneWay({ network, random }: World, machines: readonly Machine[]): void {
  const one = pick(random, machines);
  if (one === undefined) return;
  const others = machines.filter((machine) => machine !== one).map(idOf);
  if (random.next() < 0.5) network.cut([idOf(one)], others);
  else network.cut(others, [idOf(one)]);
}

function changeWeather({ network, random }: World): void {
  network.weather = someWeather(random);
}

function pauseOne({ random }: World, machines: readonly Machine[]): void {
  pick(random, machines)?.pause(random.next() * PAUSE_MAX_MS);
}

function slowOneDisk({ random }: World, machines: readonly Machine[]): void {
  const machine = pick(random, machines);
  if (machine !== undefined) machine.diskDelayMs = SLOW_DISK_MS;
}

/** What a leader is asked for may fail in many good ways: only what became of it counts. */
function ignoreOutcome(outcome: Promise<void> | undefined): void {
  outcome?.catch(() => undefined);
}

function handOver(_world: World, machines: readonly Machine[]): void {
  ignoreOutcome(findLeader(machines)?.log?.transferLeadership());
}

function addMachine(world: World, machines: Machine[]): void {
  const leader = findLeader(machines);
  if (leader === undefined || machines.length >= MACHINES_MAX) return;
  const machine = new Machine(world, ++world.raftIds);
  machines.push(machine);
  machine.boot();
  join(leader, machine);
}

function join(leader: Machine, machine: Machine): void {
  if (leader.log === undefined || machine.joinsThrough === leader.log) return;
  machine.joinsThrough = leader.log;
  const end = (error?: unknown): void => {
    machine.joinsThrough = undefined;
    // It did not catch up in time and was taken out again: its id is of no use any more.
    machine.isRefused ||= ["DeadlineExceeded", "FailedPrecondition"].includes(errorCode(error));
  };
  leader.log.addMember(machine.member).then(() => end(), end);
}

/** Whoever it is: a leader that removes itself hands over first. */
function removeMachine({ random }: World, machines: readonly Machine[]): void {
  const machine = pick(random, machines);
  if (machine !== undefined) ignoreOutcome(findLeader(machines)?.log?.removeMember(idOf(machine)));
}

/** One that thinks it leads. */
function findLeader(machines: readonly Machine[]): Machine | undefined {
  return machines.find((machine) => machine.log?.leadership().isLeader === true);
}

function pick(random: Random, machines: readonly Machine[]): Machine | undefined {
  return machines[randomInt(random, machines.length)];
}

function idOf(machine: Machine): number {
  return machine.member.raftId;
}
