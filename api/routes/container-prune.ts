import { ClusterError } from "../../core/errors.ts";
import type { ContainerBackend } from "../backends/containers.ts";
import type { EventBackend } from "../backends/events.ts";
import { hasLabel } from "../containers/list-filter.ts";
import { isRunning } from "../containers/state.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import { parseMomentMs } from "../http/moment.ts";
import { ok, type Route } from "../http/router.ts";
import { isStateError } from "./container-errors.ts";

/** Removes the containers that do not run. */
export function containerPruneRoute(
  backend: ContainerBackend,
  events: Pick<EventBackend, "pruned">,
): Route {
  return {
    method: "POST",
    path: "/containers/prune",
    handler: async (exchange) => {
      const { removed, freed } = await prune(backend, exchange);
      events.pruned("container", freed);
      return ok({ ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: freed });
    },
  };
}

async function prune(
  backend: ContainerBackend,
  { query }: Exchange,
): Promise<{ readonly removed: readonly string[]; readonly freed: number }> {
  const filters = parseFilters(query.get("filters"), ["until", "label", "label!"]);
  const untilMs = readUntil(filters.until ?? [], Date.now());
  const removed: string[] = [];
  let freed = 0;
  for (const container of backend.listContainers()) {
    const isKept =
      isRunning(container) ||
      container.createdAtMs >= untilMs ||
      !(filters.label ?? []).every((label) => hasLabel(container, label)) ||
      (filters["label!"] ?? []).some((label) => hasLabel(container, label));
    if (isKept) continue;
    const { writtenBytes } = await backend.containerSizes(container.id);
    try {
      await backend.removeContainer(container.id, { force: false, keepVolumes: true });
    } catch (error) {
      // Started or removed meanwhile: it is none of the unused ones.
      if (isStateError(error) || (error as ClusterError).code === "NotFound") continue;
      throw error;
    }
    removed.push(container.id);
    freed += writtenBytes;
  }
  return { removed, freed };
}

function readUntil(values: readonly string[], nowMs: number): number {
  const [text, ...others] = values;
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (others.length === 0) return parseMomentMs(text, nowMs);
  throw new ClusterError("InvalidArgument", "more than one until filter specified");
}
