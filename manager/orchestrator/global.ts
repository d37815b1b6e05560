import { NodeAvailability, NodeState } from "../../proto/gen/objects.ts";
import { type Constraint, meetsConstraints, parseConstraint } from "../scheduler/constraints.ts";
import { meetsPlatforms } from "../scheduler/platforms.ts";
import type { StoredNode } from "../store/objects.ts";
import type { ServiceContext } from "./context.ts";
import type { Slot, SlotTargets } from "./slot.ts";

/** What a global service wants of a node. */
type Verdict = "run" | "keep" | "leave";

/**
 * Which nodes a global service takes up and gives up: it runs on every node that is ready, active and meets its
 * constraints; it leaves nodes that are drained, down, gone or do not meet them any more; on the others it stays as it
 * is.
 */
export function planGlobal(context: ServiceContext, slots: readonly Slot[]): SlotTargets {
  const { view, service } = context;
  const { constraints = [], platforms = [] } = service.spec.task.placement ?? {};
  const terms = constraints.map(parseConstraint);
  const verdicts = new Map<string, Verdict>();
  for (const node of view.nodes.values()) {
    const fits = meetsPlatforms(platforms, node);
    verdicts.set(node.id, fits ? judge(node, terms) : "leave");
  }
  const taken = new Set(slots.map((slot) => slot.key));
  return {
    remove: slots.filter((slot) => (verdicts.get(String(slot.key)) ?? "leave") === "leave"),
    add: [...verdicts]
      .filter(([id, verdict]) => verdict === "run" && !taken.has(id))
      .map(([id]) => id),
  };
}

function judge(node: StoredNode, terms: readonly (Constraint | undefined)[]): Verdict {
  const { availability } = node.spec;
  if (availability === NodeAvailability.DRAIN || node.status.state === NodeState.DOWN) {
    return "leave";
  }
  if (!meetsConstraints(terms, node)) return "leave";
  const ready = node.status.state === NodeState.READY;
  return ready && availability === NodeAvailability.ACTIVE ? "run" : "keep";
}
