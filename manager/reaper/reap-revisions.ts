import type { Change } from "../../proto/gen/store.ts";
import { removeRevisionChange } from "../store/changes.ts";
import { equalData } from "../store/equal.ts";
import type { View } from "../store/tables.ts";

/** Specs a service has had that are kept, for its history and for going back. */
export const REVISIONS_MAX = 10;

/**
 * The revisions of a service that nothing needs: not its current or previous spec, no task's, and not among the
 * REVISIONS_MAX youngest; of a service that is gone, those without a task.
 */
export function reapRevisions(view: View, serviceId: string): Change[] {
  const revisions = [...view.revisions.ofService(serviceId)];
  const service = view.services.get(serviceId);
  if (service !== undefined && revisions.length <= REVISIONS_MAX) return [];
  if (service === undefined && revisions.length === 0) return [];

  const used = new Set<number>();
  for (const task of view.tasks.ofService(serviceId)) used.add(task.revision);
  const spare = service === undefined ? 0 : REVISIONS_MAX;
  return revisions
    .slice(0, Math.max(0, revisions.length - spare))
    .filter(({ revision, task }) => {
      if (used.has(revision) || revision === service?.revision) return false;
      return service === undefined || !equalData(task, service.previousSpec?.task);
    })
    .map(({ revision }) => removeRevisionChange(serviceId, revision));
}
