import { NodeAvailability, NodeState, type TaskSpec } from "../../proto/gen/objects.ts";
import { meetsConstraints, parseConstraint } from "./constraints.ts";
import type { Demand, NodeUsage } from "./node-usage.ts";
import { meetsPlatforms } from "./platforms.ts";

/** Why a node cannot take a task; the first of these that holds. */
export const REFUSALS = [
  "unavailable",
  "resources",
  "constraints",
  "platform",
  "hostPorts",
  "maxReplicas",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** A question put to every node; `room` is for how many tasks the answer is yes. */
export interface Fit {
  readonly refusal?: Refusal;
  readonly room: number;
}

/** Reads what a spec asks of a node into one function; the spec is read once, the nodes are many. */
export function fitOf(spec: TaskSpec, demand: Demand): (usage: NodeUsage) => Fit {
  const { constraints = [], platforms = [], maxReplicas = 0 } = spec.placement ?? {};
  const terms = constraints.map(parseConstraint);
  return (usage) => {
    const { node } = usage;
    if (!isAvailable(usage)) return refuse("unavailable");
    const byResources = resourceRoom(usage, demand);
    if (byResources < 1) return refuse("resources");
    if (terms.length > 0 && !meetsConstraints(terms, node)) return refuse("constraints");
    if (platforms.length > 0 && !meetsPlatforms(platforms, node)) return refuse("platform");
    if (demand.hostPorts.some((port) => usage.holdsPort(port))) return refuse("hostPorts");
    const byPorts = demand.hostPorts.length > 0 ? 1 : Number.POSITIVE_INFINITY;
    const byReplicas =
      maxReplicas > 0 ? maxReplicas - usage.countOf(demand.serviceId) : Number.POSITIVE_INFINITY;
    if (byReplicas < 1) return refuse("maxReplicas");
    return { room: Math.min(byResources, byPorts, byReplicas) };
  };
}

/** Whether a node takes new tasks at all. */
export function isAvailable({ node }: Pick<NodeUsage, "node">): boolean {
  return (
    node.status.state === NodeState.READY && node.spec.availability === NodeAvailability.ACTIVE
  );
}

/** How many tasks of this demand the node's unreserved resources hold; without reservations there is no limit. */
function resourceRoom(usage: NodeUsage, { nanoCpus, memoryBytes }: Demand): number {
  const byCpu = nanoCpus > 0 ? usage.freeNanoCpus / nanoCpus : Number.POSITIVE_INFINITY;
  const byMemory = memoryBytes > 0 ? usage.freeMemoryBytes / memoryBytes : Number.POSITIVE_INFINITY;
  return Math.floor(Math.min(byCpu, byMemory));
}

function refuse(refusal: Refusal): Fit {
  return { refusal, room: 0 };
}

/** How many nodes refused a task, by reason. */
export type Refusals = ReadonlyMap<Refusal, number>;

/** "no suitable node (insufficient resources on 3 nodes; …)", the commonest reason first. Texts as Docker's. */
export function explain(refusals: Refusals): string {
  const reasons = [...refusals]
    .sort(([, a], [, b]) => b - a)
    .map(([why, count]) => TEXTS[why](count));
  return reasons.length === 0 ? "no suitable node" : `no suitable node (${reasons.join("; ")})`;
}

const TEXTS: Readonly<Record<Refusal, (count: number) => string>> = {
  unavailable: (count) => `${nodes(count)} not available for new tasks`,
  resources: (count) => `insufficient resources on ${nodes(count)}`,
  constraints: (count) => `scheduling constraints not satisfied on ${nodes(count)}`,
  platform: (count) => `unsupported platform on ${nodes(count)}`,
  hostPorts: (count) => `host-mode port already in use on ${nodes(count)}`,
  maxReplicas: (count) => `max replicas per node limit exceeded on ${nodes(count)}`,
};

function nodes(count: number): string {
  return count === 1 ? "1 node" : `${count} nodes`;
}
