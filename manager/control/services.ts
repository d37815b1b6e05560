import { ClusterError } from "../../core/errors.ts";
import { newId, type ServiceId } from "../../core/ids.ts";
import type { UpdateServiceRequest } from "../../proto/gen/control.ts";
import type { NetworkAttachmentConfig, Service, ServiceSpec } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { getNetwork, getService, getTask } from "../store/find.ts";
import type { StoredService } from "../store/objects.ts";
import { findMissingReference } from "../store/references.ts";
import {
  createServiceChanges,
  removeServiceChanges,
  rollbackServiceChanges,
  updateServiceChanges,
} from "../store/service-changes.ts";
import type { View } from "../store/tables.ts";
import type { Control } from "./control.ts";
import { filterServices, filterTasks } from "./filters.ts";
import { freshView, type LeaderParts } from "./leader-parts.ts";
import { resolveReferences } from "./resolve-references.ts";
import { checkPublishedPorts } from "./validate/published-ports.ts";
import { findDuplicate, refuse } from "./validate/refuse.ts";
import {
  type CheckedServiceSpec,
  checkServiceChange,
  checkServiceSpec,
} from "./validate/service-spec.ts";
import { serviceView, taskView } from "./views.ts";

type ServiceControl = Pick<
  Control,
  | "createService"
  | "getService"
  | "listServices"
  | "updateService"
  | "removeService"
  | "serviceLogs"
  | "getTask"
  | "listTasks"
>;

/** Services and their tasks, as the leader serves them. */
export function serviceControl(parts: LeaderParts): ServiceControl {
  return {
    createService: async (spec) => {
      const checked = checkServiceSpec(spec);
      const id = newId<ServiceId>(parts.random);
      const changes = await parts.planner.plan((view) => {
        checkPublishedPorts(view, checked);
        return createServiceChanges(id, resolveNames(view, checked));
      });
      await parts.proposer.propose(changes);
      return { service: storedNow(parts, id), warnings: [] };
    },
    getService: async (ref) => getService(await freshView(parts), ref),
    listServices: async (filters) => {
      const view = await freshView(parts);
      return filterServices(view, filters).map((service) => serviceView(view, service));
    },
    updateService: async (update) => {
      const { id, changes } = await parts.planner.plan((view) => {
        const service = getService(view, update.ref);
        const changes = update.rollback
          ? planRollback(view, service, update, parts.clock.nowMs())
          : planUpdate(view, service, update);
        return { id: service.id, changes };
      });
      await parts.proposer.propose(changes);
      return { service: storedNow(parts, id), warnings: [] };
    },
    removeService: async (ref) => {
      const changes = await parts.planner.plan((view) =>
        removeServiceChanges(getService(view, ref)),
      );
      await parts.proposer.propose(changes);
    },
    serviceLogs: async function* (target, options, signal) {
      const view = await freshView(parts);
      const selector =
        "taskRef" in target
          ? ({ kind: "task", taskId: getTask(view, target.taskRef).id } as const)
          : ({ kind: "service", serviceId: getService(view, target.serviceRef).id } as const);
      yield* parts.logs.read(selector, options, signal);
    },
    getTask: async (ref) => {
      const view = await freshView(parts);
      return taskView(view, getTask(view, ref));
    },
    listTasks: async (filters) => {
      const view = await freshView(parts);
      return filterTasks(view, filters).map((task) => taskView(view, task));
    },
  };
}

/**
 * The changes that give a service its new spec.
 *
 * @throws {ClusterError} `InvalidArgument` for a spec that cannot be.
 */
export function planUpdate(
  view: View,
  service: StoredService,
  { spec, version, authFromPrevious }: UpdateServiceRequest,
): Change[] {
  const checked = checkServiceSpec(spec);
  checkServiceChange(service.spec, checked);
  checkPublishedPorts(view, checked);
  const kept = authFromPrevious ? service.previousSpec : service.spec;
  const next = resolveNames(view, keepAuth(checked, kept));
  return updateServiceChanges(view, service, next, { ifVersion: version });
}

function planRollback(
  view: View,
  service: StoredService,
  { version }: UpdateServiceRequest,
  nowMs: number,
): Change[] {
  const missing = findMissingReference(view, service.previousSpec, []);
  if (missing !== undefined) throw new ClusterError(missing.code, missing.message);
  const changes = rollbackServiceChanges(view, service, nowMs, version);
  if (changes !== undefined) return changes;
  throw new ClusterError(
    "FailedPrecondition",
    `service ${service.spec.name} does not have a previous spec`,
  );
}

/** The spec with what it names by id. @throws {ClusterError} `NotFound`, `InvalidArgument`. */
function resolveNames(view: View, spec: CheckedServiceSpec): CheckedServiceSpec {
  return resolveReferences(view, resolveNetworks(view, spec));
}

/** The spec with each network by its id. @throws {ClusterError} `NotFound`, `InvalidArgument`. */
export function resolveNetworks(view: View, spec: CheckedServiceSpec): CheckedServiceSpec {
  const networks = spec.task.networks.map((attachment) => resolve(view, attachment));
  const twice = findDuplicate(networks.map(({ target }) => target));
  if (twice !== undefined) refuse(`network ${view.networks.get(twice)?.spec.name} is given twice`);
  return { ...spec, task: { ...spec.task, networks } };
}

function resolve(view: View, attachment: NetworkAttachmentConfig): NetworkAttachmentConfig {
  const { id, spec } = getNetwork(view, attachment.target);
  if (spec.ingress) {
    refuse(`Service cannot be explicitly attached to the ingress network "${spec.name}"`);
  }
  return { ...attachment, target: id };
}

/** An update without registry auth does not take away what the service has. */
function keepAuth(next: CheckedServiceSpec, kept: ServiceSpec | undefined): CheckedServiceSpec {
  const { container } = next.task;
  const registryAuth = kept?.task?.container?.registryAuth ?? "";
  if (container === undefined || container.registryAuth !== "" || registryAuth === "") return next;
  return { ...next, task: { ...next.task, container: { ...container, registryAuth } } };
}

/** The service as it is now. It may be gone again: another's request may come between. */
function storedNow({ view }: LeaderParts, id: string): Service {
  return getService(view(), id);
}
