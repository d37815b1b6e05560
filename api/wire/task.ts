import type { TaskView } from "../../proto/gen/control.ts";
import { type Task, TaskState } from "../../proto/gen/objects.ts";
import { maybe, omitEmpty, wireMeta, wireTime, wordOf } from "./common.ts";
import { writeNetworkSummary } from "./network.ts";
import { writePort } from "./service.ts";
import { writeTaskSpec } from "./task-spec.ts";

/** Docker's words for task states; also the values its `desired-state` filter takes. */
export const TASK_STATES = {
  new: TaskState.NEW,
  pending: TaskState.PENDING,
  assigned: TaskState.ASSIGNED,
  accepted: TaskState.ACCEPTED,
  preparing: TaskState.PREPARING,
  ready: TaskState.READY,
  starting: TaskState.STARTING,
  running: TaskState.RUNNING,
  complete: TaskState.COMPLETE,
  shutdown: TaskState.SHUTDOWN,
  failed: TaskState.FAILED,
  rejected: TaskState.REJECTED,
  remove: TaskState.REMOVE,
  orphaned: TaskState.ORPHANED,
} as const;

export function writeTask(view: TaskView): Record<string, unknown> {
  const task = view.task;
  if (task === undefined) return {};
  return {
    ...wireMeta(task.id, task.meta),
    Labels: {},
    Spec: maybe(view.spec, writeTaskSpec) ?? {},
    ServiceID: task.serviceId,
    ...omitEmpty({ Slot: task.slot, NodeID: task.nodeId }),
    Status: writeStatus(view, task),
    DesiredState: wordOf(TASK_STATES, task.desiredState) ?? "running",
    NetworksAttachments: writeAttachments(view, task),
    GenericResources: [],
  };
}

function writeStatus(view: TaskView, task: Task): Record<string, unknown> {
  const status = task.status;
  const container = status?.container;
  return {
    Timestamp: wireTime(status?.timestampMs ?? 0),
    State: wordOf(TASK_STATES, status?.state ?? TaskState.NEW) ?? "new",
    ...omitEmpty({ Message: status?.message, Err: status?.err }),
    ...(container === undefined
      ? {}
      : {
          ContainerStatus: {
            ContainerID: container.containerId,
            PID: container.pid,
            ExitCode: container.exitCode,
          },
        }),
    PortStatus: omitEmpty({ Ports: view.hostPorts.map(writePort) }),
  };
}

function writeAttachments(view: TaskView, task: Task): unknown[] {
  return task.networks.map((attachment) => {
    const network = view.networks.find((candidate) => candidate.id === attachment.networkId);
    return {
      Network: network === undefined ? { ID: attachment.networkId } : writeNetworkSummary(network),
      Addresses: attachment.addresses,
    };
  });
}
