import type { StoredRevision, StoredTask } from "../store/objects.ts";
import { explain, type Fit, fitOf, type Refusal } from "./filters.ts";
import type { NodeBook } from "./node-book.ts";
import { type Demand, demandOf, type NodeUsage } from "./node-usage.ts";
import { type Candidate, spreadOver } from "./spread.ts";

/** Tasks that are alike: of one revision of one service. */
export interface TaskGroup {
  readonly revision: StoredRevision;
  readonly tasks: readonly StoredTask[];
}

/** Where tasks go, and why the others go nowhere. */
export interface Placement {
  readonly placed: readonly { readonly task: StoredTask; readonly nodeId: string }[];
  readonly unplaced: readonly StoredTask[];
  /** Why; empty when all are placed. */
  readonly reason: string;
}

/**
 * Chooses nodes for a group of tasks and notes them in the book, so that the next group finds what is left. Never
 * gives a node more than it has.
 */
export function placeGroup(book: NodeBook, group: TaskGroup, nowMs: number): Placement {
  const { task: spec } = group.revision;
  const demand = demandOf(group.revision);
  const judge = fitOf(spec, demand);
  const spread = spec.placement?.spread ?? [];
  const [only] = group.tasks;
  const quick =
    group.tasks.length === 1 && only !== undefined && spread.length === 0
      ? findIdle(book, { judge, demand, nowMs })
      : undefined;
  if (quick !== undefined && only !== undefined) {
    book.assign(only.id, quick.node.id, demand);
    return { placed: [{ task: only, nodeId: quick.node.id }], unplaced: [], reason: "" };
  }
  return spreadGroup(book, group, { judge, demand, nowMs });
}

/** A task that belongs to a node already (of a global service): undefined if the node can take it, else why not. */
export function refusalOf(book: NodeBook, nodeId: string, revision: StoredRevision): string {
  const usage = book.get(nodeId);
  if (usage === undefined) return explain(new Map([["unavailable", 1]]));
  const { refusal } = fitOf(revision.task, demandOf(revision))(usage);
  return refusal === undefined ? "" : explain(new Map([[refusal, 1]]));
}

interface Question {
  readonly judge: (usage: NodeUsage) => Fit;
  readonly demand: Demand;
  readonly nowMs: number;
}

/**
 * The best node for a single task if that is plain to see: the first that fits, in order of tasks, and has none of the
 * service. Nothing can be better than it; so a thousand nodes need not be asked.
 */
function findIdle(book: NodeBook, { judge, demand, nowMs }: Question): NodeUsage | undefined {
  for (const usage of book.byTotal()) {
    const fresh = usage.countOf(demand.serviceId) === 0 && !usage.isFailing(demand, nowMs);
    if (fresh && judge(usage).room >= 1) return usage;
  }
  return undefined;
}

function spreadGroup(
  book: NodeBook,
  group: TaskGroup,
  { judge, demand, nowMs }: Question,
): Placement {
  const candidates: Candidate[] = [];
  const refusals = new Map<Refusal, number>();
  for (const usage of book.values()) {
    const { room, refusal } = judge(usage);
    if (refusal !== undefined) {
      refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
      continue;
    }
    const failing = usage.isFailing(demand, nowMs);
    const serviceCount = usage.countOf(demand.serviceId);
    candidates.push({ usage, failing, room, serviceCount, total: usage.total });
  }

  const spreader = spreadOver(candidates, group.revision.task.placement?.spread ?? []);
  const placed: { task: StoredTask; nodeId: string }[] = [];
  const unplaced: StoredTask[] = [];
  for (const task of group.tasks) {
    const best = spreader.next();
    if (best === undefined) {
      unplaced.push(task);
      continue;
    }
    const nodeId = best.usage.node.id;
    book.assign(task.id, nodeId, demand);
    placed.push({ task, nodeId });
  }
  if (unplaced.length === 0) return { placed, unplaced, reason: "" };
  // What this very group has filled up refuses too.
  for (const { usage, room } of candidates) {
    if (room >= 1) continue;
    const { refusal } = judge(usage);
    if (refusal !== undefined) refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
  }
  return { placed, unplaced, reason: explain(refusals) };
}
