import { type Random, randomInt } from "../../../core/random.ts";
import { NodeAvailability } from "../../../proto/gen/objects.ts";
import { CALM, someWeather } from "../raft/sim-network.ts";
import type { Clients } from "./clients.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

const OFF_MAX_MS = 4_000;
const PAUSE_MAX_MS = 3_000;
const SLOW_DISK_MS = 150;
const SWIZZLE_STEP_MS = 500;
const WALL_JUMP_MS = 3_600_000;

type Strike = (world: World, clients: Clients) => void;

/** What can go wrong, and how often beside the others. */
const FAULTS: readonly { readonly weight: number; readonly strike: Strike }[] = [
  { weight: 4, strike: (world) => crashOne(world, false) },
  { weight: 2, strike: (world) => crashOne(world, true) },
  { weight: 1, strike: crashAll },
  { weight: 2, strike: splitNetwork },
  { weight: 2, strike: isolateOne },
  { weight: 1, strike: cutOneWay },
  { weight: 3, strike: ({ network }) => network.heal() },
  { weight: 2, strike: changeWeather },
  {
    weight: 1,
    strike: ({ network, nodes }) => network.swizzle(nodes.map(numberOf), SWIZZLE_STEP_MS),
  },
  { weight: 2, strike: pauseOne },
  { weight: 1, strike: slowOneDisk },
  { weight: 1, strike: setClock },
  { weight: 1, strike: handOver },
  { weight: 3, strike: endContainer },
  { weight: 2, strike: changeAvailability },
];

/** One fault, chosen by the seed. */
export function strikeOnce(world: World, clients: Clients): void {
  const total = FAULTS.reduce((sum, { weight }) => sum + weight, 0);
  let left = randomInt(world.random, total);
  for (const { weight, strike } of FAULTS) {
    left -= weight;
    if (left >= 0) continue;
    strike(world, clients);
    return;
  }
}

/** All faults end. */
export function healAll(world: World): void {
  world.network.heal();
  for (const node of world.nodes) {
    node.host.resume();
    node.host.wallOffsetMs = 0;
    if (node.manager !== undefined) node.manager.diskDelayMs = 2;
    if (!node.host.isUp) node.boot();
  }
}

/** Whoever something is wrong with at the moment is no witness against anybody. */
export function noteDisturbed(world: World): void {
  const { leader, network } = world;
  for (const node of world.nodes) {
    const { host } = node;
    const isCalm =
      leader !== undefined &&
      host.isUp &&
      !host.isPaused &&
      !leader.host.isPaused &&
      network.weather === CALM &&
      network.isOpen(host.number, leader.host.number) &&
      network.isOpen(leader.host.number, host.number);
    if (!isCalm) node.disturb();
  }
}

/** Its daemon alone, or the machine with its containers. */
function crashOne({ random, nodes }: World, power: boolean): void {
  pick(random, nodes)?.crashFor(random.next() * OFF_MAX_MS, { power });
}

function crashAll({ random, nodes }: World): void {
  for (const node of nodes) node.crashFor(random.next() * OFF_MAX_MS, { power: true });
}

function splitNetwork({ network, random, nodes }: World): void {
  const here = nodes.filter(() => random.next() < 0.5).map(numberOf);
  const there = nodes.map(numberOf).filter((number) => !here.includes(number));
  network.cut(here, there);
  network.cut(there, here);
}

function isolateOne(world: World): void {
  const one = pick(world.random, world.nodes);
  if (one === undefined) return;
  world.network.cut([numberOf(one)], others(world, one));
  world.network.cut(others(world, one), [numberOf(one)]);
}

function cutOneWay(world: World): void {
  const one = pick(world.random, world.nodes);
  if (one === undefined) return;
  if (world.random.next() < 0.5) world.network.cut([numberOf(one)], others(world, one));
  else world.network.cut(others(world, one), [numberOf(one)]);
}

function others({ nodes }: World, one: SimNode): number[] {
  return nodes.filter((node) => node !== one).map(numberOf);
}

function changeWeather({ network, random }: World): void {
  network.weather = someWeather(random);
}

function pauseOne({ random, nodes }: World): void {
  pick(random, nodes)?.host.pause(random.next() * PAUSE_MAX_MS);
}

function slowOneDisk({ random, managers }: World): void {
  const manager = pick(random, managers)?.manager;
  if (manager !== undefined) manager.diskDelayMs = SLOW_DISK_MS;
}

/** The wall clock alone: what is measured goes by the other. */
function setClock({ random, nodes }: World): void {
  const node = pick(random, nodes);
  if (node !== undefined) node.host.wallOffsetMs = (2 * random.next() - 1) * WALL_JUMP_MS;
}

function handOver({ leader }: World): void {
  leader?.manager?.log?.transferLeadership().catch(() => undefined);
}

function endContainer({ random, nodes }: World): void {
  pick(random, nodes)?.containers.endOne(randomInt(random, 2));
}

function changeAvailability({ random }: World, clients: Clients): void {
  const all = [NodeAvailability.ACTIVE, NodeAvailability.PAUSE, NodeAvailability.DRAIN];
  clients.setAvailability(all[randomInt(random, all.length)] ?? NodeAvailability.ACTIVE);
}

function pick<T>(random: Random, all: readonly T[]): T | undefined {
  return all[randomInt(random, all.length)];
}

function numberOf(node: SimNode): number {
  return node.host.number;
}
