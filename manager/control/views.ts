import type { NodeView, ServiceView, TaskView } from "../../proto/gen/control.ts";
import { TaskState } from "../../proto/gen/objects.ts";
import { CHUNK_BYTES_MAX } from "../../proto/limits.ts";
import type { Member } from "../log/replicated-log.ts";
import {
  replicasOf,
  type StoredNetwork,
  type StoredNode,
  type StoredService,
  type StoredTask,
} from "../store/objects.ts";
import type { View } from "../store/tables.ts";

// What clients see of an object: itself and what they would otherwise have to look up.

/** A service and how many of its tasks run. */
export function serviceView(view: View, service: StoredService): ServiceView {
  let runningTasks = 0;
  let desiredTasks = 0;
  for (const { status, desiredState } of view.tasks.ofService(service.id)) {
    if (status.state === TaskState.RUNNING) runningTasks++;
    if (desiredState <= TaskState.RUNNING) desiredTasks++;
  }
  const replicas = replicasOf(service);
  return { service, runningTasks, desiredTasks: replicas ?? desiredTasks, completedTasks: 0 };
}

/** A task with the spec it runs and the networks it is on. */
export function taskView(view: View, task: StoredTask): TaskView {
  const revision = view.revisions.find(task.serviceId, task.revision);
  const networks = task.networks
    .map(({ networkId }) => view.networks.get(networkId))
    .filter((network): network is StoredNetwork => network !== undefined);
  return {
    task,
    spec: revision?.task,
    serviceName: view.services.get(task.serviceId)?.spec.name ?? "",
    networks,
    hostPorts: revision?.hostPorts ?? [],
  };
}

/** Who takes part in the log and who leads it. */
export interface ManagerFacts {
  readonly leaderRaftId: number | undefined;
  readonly members: readonly Member[];
}

/** A node and, of a manager, whether it leads and answers. */
export function nodeView(node: StoredNode, facts: ManagerFacts): NodeView {
  const raftId = node.manager?.raftId;
  if (raftId === undefined) return { node, leader: false, reachable: false };
  const leader = raftId === facts.leaderRaftId;
  const member = facts.members.find((one) => one.raftId === raftId);
  return { node, leader, reachable: leader || member?.reachable === true };
}

/** Parts a list into chunks of about CHUNK_BYTES_MAX; an item is never parted, an empty list has no chunk. */
export function* chunked<T>(items: readonly T[], bytesOf: (item: T) => number): Iterable<T[]> {
  let chunk: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (chunk.length > 0 && bytes + size > CHUNK_BYTES_MAX) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(item);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** The same of items that come one by one. */
export async function* chunkedAsync<T>(
  items: AsyncIterable<T>,
  bytesOf: (item: T) => number,
): AsyncIterable<T[]> {
  let chunk: T[] = [];
  let bytes = 0;
  for await (const item of items) {
    const size = bytesOf(item);
    if (chunk.length > 0 && bytes + size > CHUNK_BYTES_MAX) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(item);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
