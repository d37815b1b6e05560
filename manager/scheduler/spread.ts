import { nodeValue } from "./constraints.ts";
import { Heap } from "./heap.ts";
import type { NodeUsage } from "./node-usage.ts";

/** A node that may take `room` more tasks of one group. */
export interface Candidate {
  readonly usage: NodeUsage;
  /** The service failed here often lately. */
  readonly failing: boolean;
  room: number;
  /** Tasks of the service here, and tasks in all, those chosen so far included. */
  serviceCount: number;
  total: number;
}

/** Gives one node after another, each the best for one more task of the group. */
export interface Spreader {
  /** Undefined when no node has room. */
  next(): Candidate | undefined;
  /** Tasks of the service on all its nodes. */
  readonly serviceCount: number;
}

/**
 * Spreads a group over nodes: for each label of `descriptors` in turn over the label's values equally, and there on the
 * node with the fewest tasks of the service, then the fewest in all.
 *
 * Source: swarmkit, design/topology.md.
 */
export function spreadOver(
  candidates: readonly Candidate[],
  descriptors: readonly string[],
): Spreader {
  const [descriptor, ...rest] = descriptors;
  if (descriptor === undefined) return new NodeSpreader(candidates);
  const byValue = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const value = nodeValue(candidate.usage.node, descriptor);
    const group = byValue.get(value);
    if (group === undefined) byValue.set(value, [candidate]);
    else group.push(candidate);
  }
  return new BranchSpreader([...byValue.values()].map((group) => spreadOver(group, rest)));
}

/** Whether `a` is better for one more task of the group than `b`. */
function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.failing !== b.failing) return b.failing;
  if (a.serviceCount !== b.serviceCount) return a.serviceCount < b.serviceCount;
  if (a.total !== b.total) return a.total < b.total;
  return a.usage.node.id < b.usage.node.id;
}

class NodeSpreader implements Spreader {
  readonly #heap: Heap<Candidate>;
  serviceCount: number;

  constructor(candidates: readonly Candidate[]) {
    this.#heap = new Heap(candidates, isBetter);
    this.serviceCount = candidates.reduce((sum, candidate) => sum + candidate.serviceCount, 0);
  }

  next(): Candidate | undefined {
    const best = this.#heap.top();
    if (best === undefined) return undefined;
    best.room--;
    best.serviceCount++;
    best.total++;
    this.serviceCount++;
    if (best.room < 1) this.#heap.pop();
    else this.#heap.topChanged();
    return best;
  }
}

class BranchSpreader implements Spreader {
  readonly #heap: Heap<Spreader>;
  serviceCount: number;

  constructor(branches: readonly Spreader[]) {
    this.#heap = new Heap(branches, (a, b) => a.serviceCount < b.serviceCount);
    this.serviceCount = branches.reduce((sum, branch) => sum + branch.serviceCount, 0);
  }

  next(): Candidate | undefined {
    for (let best = this.#heap.top(); best !== undefined; best = this.#heap.top()) {
      const candidate = best.next();
      if (candidate === undefined) {
        this.#heap.pop();
        continue;
      }
      this.serviceCount++;
      this.#heap.topChanged();
      return candidate;
    }
    return undefined;
  }
}
