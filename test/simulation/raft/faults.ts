import { type Random, randomInt } from "../../../core/random.ts";
import { Machine, type World } from "./machine.ts";
import { someWeather } from "./sim-network.ts";

const OFF_MAX_MS = 2500;
const PAUSE_MAX_MS = 3000;
const SLOW_DISK_MS = 200;
/** Members come and go, but a run has no more machines than this. */
const MACHINES_MAX = 7;

/** What can go wrong, and how often of 20 times. */
const FAULTS: readonly {
  readonly weight: number;
  readonly strike: (world: World, machines: Machine[]) => void;
}[] = [
  { weight: 5, strike: crashOne },
  { weight: 1, strike: crashAll },
  { weight: 3, strike: splitNetwork },
  { weight: 2, strike: cutOneWay },
  { weight: 3, strike: ({ network }) => network.heal() },
  { weight: 2, strike: changeWeather },
  { weight: 2, strike: pauseOne },
  { weight: 1, strike: slowOneDisk },
  { weight: 1, strike: handOver },
  { weight: 1, strike: addMachine },
  { weight: 1, strike: removeMachine },
];

/** One fault, chosen by the seed; `machines` may grow. */
export function strikeOnce(world: World, machines: Machine[]): void {
  const total = FAULTS.reduce((sum, { weight }) => sum + weight, 0);
  let left = randomInt(world.random, total);
  for (const { weight, strike } of FAULTS) {
    left -= weight;
    if (left >= 0) continue;
    strike(world, machines);
    return;
  }
}

function crashOne(world: World, machines: readonly Machine[]): void {
  const machine = pick(world.random, machines);
  if (machine !== undefined) crashFor(world, machine, world.random.next() * OFF_MAX_MS);
}

/** A power cut of the room: all come back, at different times. */
function crashAll(world: World, machines: readonly Machine[]): void {
  for (const machine of machines) crashFor(world, machine, world.random.next() * OFF_MAX_MS);
}

function crashFor({ time }: World, machine: Machine, durationMs: number): void {
  if (!machine.isOn) return;
  machine.crash();
  time.after(durationMs, () => {
    if (!machine.isOn) machine.boot();
  });
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
  const machine = new Machine(world, machines.length + 1);
  machines.push(machine);
  machine.boot();
  ignoreOutcome(leader.log?.addMember(machine.member));
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
