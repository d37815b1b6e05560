import { type Random, randomInt } from "../../../core/random.ts";
import { NodeAvailability, NodeRole } from "../../../proto/gen/objects.ts";
import { CALM, someWeather } from "../raft/sim-network.ts";
import type { Clients } from "./clients.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** With fewer, one lost log would be too many. */
const MANAGERS_MIN = 3;
const MANAGERS_MAX = 5;
const CALLS_TO_CRASH_MAX = 40;
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
  { weight: 2, strike: changeRole },
  { weight: 2, strike: crashInWrite },
  { weight: 1, strike: fillDisk },
  { weight: 1, strike: breakSync },
  { weight: 1, strike: loseOneLog },
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
    node.manager.mendDisk();
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
  const node = pick(random, managers);
  if (node !== undefined) node.manager.diskDelayMs = SLOW_DISK_MS;
}

/** The wall clock alone: what is measured goes by the other. */
function setClock(world: World): void {
  const { random, nodes } = world;
  const node = pick(random, nodes);
  world.wasClockSet = true;
  if (node !== undefined) node.host.wallOffsetMs = (2 * random.next() - 1) * WALL_JUMP_MS;
}

function handOver({ leader }: World): void {
  leader?.manager.running?.log.transferLeadership().catch(() => undefined);
}

function endContainer({ random, nodes }: World): void {
  pick(random, nodes)?.containers.endOne(randomInt(random, 2));
}

function changeAvailability({ random, nodes }: World, clients: Clients): void {
  const all = [NodeAvailability.ACTIVE, NodeAvailability.PAUSE, NodeAvailability.DRAIN];
  const availability = all[randomInt(random, all.length)] ?? NodeAvailability.ACTIVE;
  clients.setNode(pick(random, nodes)?.nodeId ?? "", { availability });
}

/** Promotes a worker or demotes a manager. */
function changeRole({ random, nodes }: World, clients: Clients): void {
  const node = pick(random, nodes);
  if (node === undefined) return;
  const managers = nodes.filter(({ role }) => role === NodeRole.MANAGER).length;
  const isManager = node.role === NodeRole.MANAGER;
  if (isManager ? managers <= MANAGERS_MIN : managers >= MANAGERS_MAX) return;
  clients.setNode(node.nodeId, { role: isManager ? NodeRole.WORKER : NodeRole.MANAGER });
}

/** Wherever it happens to be: every write, sync, rename and removal is the last one of some run. */
function crashInWrite({ random, managers }: World): void {
  pick(random, managers)?.manager.crashAtCall(1 + randomInt(random, CALLS_TO_CRASH_MAX));
}

function fillDisk({ random, managers }: World): void {
  pick(random, managers)?.manager.failDisk({ write: "ENOSPC", create: "ENOSPC" });
}

/** After it nobody knows what is durable: the manager must stop and not try again. */
function breakSync({ random, managers }: World): void {
  pick(random, managers)?.manager.failDisk({ sync: "EIO" });
}

/** One at a time, and only of a whole group, or nobody could answer for what was acknowledged. */
function loseOneLog(world: World): void {
  const node = pick(world.random, world.managers);
  if (node === undefined || !isWhole(world)) return;
  node.crashFor(world.random.next() * OFF_MAX_MS, { power: true });
  node.manager.loseLog();
}

/** Whether every manager takes part with a vote, as the leader knows. */
export function isWhole({ leader, nodes, managers }: World): boolean {
  const members = leader?.manager.running?.log.members() ?? [];
  const wanted = nodes.filter(({ role }) => role === NodeRole.MANAGER);
  if (wanted.length < MANAGERS_MIN || members.length !== wanted.length) return false;
  return wanted.every((node) => {
    const member = members.find(({ raftId }) => raftId === node.manager.raftId);
    return member?.learner !== true && member !== undefined && managers.includes(node);
  });
}

function pick<T>(random: Random, all: readonly T[]): T | undefined {
  return all[randomInt(random, all.length)];
}

function numberOf(node: SimNode): number {
  return node.host.number;
}
