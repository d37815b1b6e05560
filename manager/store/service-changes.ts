import { assert } from "../../core/assert.ts";
import {
  type PortConfig,
  type ServiceSpec,
  type TaskSpec,
  type UpdateStatus,
  UpdateStatus_State,
} from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { createChange, removeChange, updateChange } from "./changes.ts";
import { equalData } from "./equal.ts";
import type { StoredNetwork, StoredRevision, StoredService } from "./objects.ts";
import { isIngressPort, publishesIngress } from "./ports.ts";
import type { View } from "./tables.ts";

// What the control API and the updater propose for a service. The specs are validated by then: names resolved to ids,
// numbers in range. What needs other objects to be as they are is checked again when it is applied.

/** Stores a new service with the first revision of its tasks. */
export function createServiceChanges(id: string, spec: ServiceSpec): Change[] {
  const revision = 1;
  const service = { id, spec, revision, meta: undefined, pendingDelete: false };
  return [createChange("service", service), newRevision(id, revision, spec)];
}

/** How a spec is replaced. */
export interface SpecReplacement {
  /** `meta.version` the user saw; otherwise refused as Aborted. */
  readonly ifVersion?: number;
  /** What becomes of `service.updateStatus`; absent: the updater starts afresh if tasks are outdated. */
  readonly updateStatus?: UpdateStatus;
  /** What becomes of `service.previousSpec`; absent: the spec replaced. Null: nothing to roll back to. */
  readonly previousSpec?: ServiceSpec | null;
}

/** Replaces a service's spec; tasks are replaced if their part of it changed. */
export function updateServiceChanges(
  view: View,
  service: StoredService,
  spec: ServiceSpec,
  how: SpecReplacement = {},
): Change[] {
  const { revision, isNew } = revisionFor(view, service, spec);
  const { ifVersion, updateStatus, previousSpec = service.spec } = how;
  const patch = { spec, revision, updateStatus, previousSpec: previousSpec ?? undefined };
  const options = { bumpVersion: true, ...(ifVersion === undefined ? {} : { ifVersion }) };
  const update = updateChange("service", service.id, patch, options);
  return isNew ? [update, newRevision(service.id, revision, spec)] : [update];
}

/**
 * Goes back to the previous spec as a user asks for it; a second time goes forth again.
 *
 * @returns undefined when the service has no previous spec.
 */
export function rollbackServiceChanges(
  view: View,
  service: StoredService,
  nowMs: number,
  ifVersion?: number,
): Change[] | undefined {
  if (service.previousSpec === undefined) return undefined;
  const updateStatus = {
    state: UpdateStatus_State.ROLLBACK_STARTED,
    startedAtMs: nowMs,
    completedAtMs: 0,
    message: "manually requested rollback",
  };
  const how = { updateStatus, ...(ifVersion === undefined ? {} : { ifVersion }) };
  return updateServiceChanges(view, service, service.previousSpec, how);
}

/** Removes a service at once: its name and ports are free; the orchestrator then has its tasks stopped and removed. */
export function removeServiceChanges(service: StoredService): Change[] {
  return [removeChange("service", service.id)];
}

/** Removes a network at once for its users; it goes when no task has an address on it any more. */
export function removeNetworkChanges(network: StoredNetwork): Change[] {
  return [updateChange("network", network.id, { pendingDelete: true }, { bumpVersion: true })];
}

/** The revision of a service that `spec` asks for: one there is, so that tasks that fit it stay, or the next number. */
function revisionFor(
  view: View,
  service: StoredService,
  spec: ServiceSpec,
): { readonly revision: number; readonly isNew: boolean } {
  const current = view.revisions.find(service.id, service.revision);
  if (current !== undefined && fits(current, spec)) {
    return { revision: current.revision, isNew: false };
  }
  let highest = service.revision;
  for (const revision of view.revisions.ofService(service.id)) {
    if (fits(revision, spec)) return { revision: revision.revision, isNew: false };
    highest = Math.max(highest, revision.revision);
  }
  return { revision: highest + 1, isNew: true };
}

/** An address on the ingress network that is not needed any more is no reason to replace a task. */
function fits(revision: StoredRevision, spec: ServiceSpec): boolean {
  const { hostPorts, ingress } = publishing(spec);
  return (
    (revision.ingress || !ingress) &&
    equalData(revision.hostPorts, hostPorts) &&
    equalData(revision.task, spec.task)
  );
}

function newRevision(serviceId: string, revision: number, spec: ServiceSpec): Change {
  const task: TaskSpec | undefined = spec.task;
  assert(task !== undefined, `spec of service ${serviceId} has a task`);
  const object = { serviceId, revision, task, createdAtMs: 0, ...publishing(spec) };
  return createChange("revision", object);
}

function publishing(spec: ServiceSpec): { hostPorts: PortConfig[]; ingress: boolean } {
  const ports = spec.endpoint?.ports ?? [];
  return {
    hostPorts: ports.filter((port) => !isIngressPort(port)),
    ingress: publishesIngress(ports),
  };
}
