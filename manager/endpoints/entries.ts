import type {
  Endpoint,
  EndpointNetwork,
  EndpointNode,
  EndpointService,
} from "../../proto/gen/endpoints.ts";
import {
  EndpointSpec_Mode,
  type NetworkAttachment,
  NodeState,
  TaskState,
} from "../../proto/gen/objects.ts";
import type { StoredNetwork, StoredNode, StoredService, StoredTask } from "../store/objects.ts";
import { effectivePorts, isIngressPort } from "../store/ports.ts";
import type { View } from "../store/tables.ts";

// What each object contributes to the tables of its networks. Every entry is a function of one state of the store.

/** What the data plane must know of the network itself; undefined while the allocator has not been there. */
export function networkEntry(network: StoredNetwork): EndpointNetwork | undefined {
  if (network.vni === 0) return undefined;
  const { name, ingress, internal, driverOptions } = network.spec;
  return { name, vni: network.vni, ipam: network.ipam, ingress, internal, driverOptions };
}

/** The networks a service has a foot in, its entry in each. */
export function serviceEntries(view: View, service: StoredService): Map<string, EndpointService> {
  const entries = new Map<string, EndpointService>();
  const mode = service.spec.endpoint?.mode || EndpointSpec_Mode.VIP;
  const entry = (networkId: string, aliases: string[]): EndpointService => ({
    serviceId: service.id,
    name: service.spec.name,
    mode,
    virtualIps: (service.endpoint?.virtualIps ?? [])
      .filter((vip) => vip.networkId === networkId)
      .map((vip) => withoutPrefix(vip.address)),
    aliases,
    ports: [],
  });
  for (const { target, aliases } of service.spec.task.networks) {
    entries.set(target, entry(target, aliases));
  }
  const ports = effectivePorts(service).filter(
    (port) => isIngressPort(port) && port.publishedPort !== 0,
  );
  const ingress = ports.length > 0 ? ingressNetworkOf(view) : undefined;
  if (ingress !== undefined) entries.set(ingress.id, { ...entry(ingress.id, []), ports });
  return entries;
}

/**
 * The networks a task has an address on, its entry in each. It has entries from the moment it has a node until its
 * worker has confirmed its end.
 */
export function taskEntries(view: View, task: StoredTask): Map<string, Endpoint> {
  const { state } = task.status;
  const entries = new Map<string, Endpoint>();
  if (state < TaskState.ASSIGNED || state > TaskState.RUNNING) return entries;
  const node = view.nodes.get(task.nodeId);
  const service = view.services.get(task.serviceId);
  if (node === undefined) return entries;
  for (const attachment of task.networks) {
    entries.set(attachment.networkId, {
      taskId: task.id,
      serviceId: task.serviceId,
      slot: task.slot,
      nodeId: task.nodeId,
      nodeAddr: node.status.addr,
      addresses: attachment.addresses.map(withoutPrefix),
      aliases: service === undefined ? [] : [taskName(service, task)],
      serving: service !== undefined && isServing(task, node),
    });
  }
  return entries;
}

/** The networks a node has an address of its own on, its entry in each. */
export function nodeEntries(node: StoredNode): Map<string, EndpointNode> {
  const entry = ({ addresses }: NetworkAttachment): EndpointNode => ({
    nodeId: node.id,
    nodeAddr: node.status.addr,
    addresses: addresses.map(withoutPrefix),
  });
  return new Map(node.attachments.map((attachment) => [attachment.networkId, entry(attachment)]));
}

/** "web.1.<task id>"; tasks of global services have their node's id in place of the slot. */
export function taskName(service: StoredService, task: StoredTask): string {
  return `${service.spec.name}.${task.slot > 0 ? task.slot : task.nodeId}.${task.id}`;
}

/** The network of published ports, if there is one. */
export function ingressNetworkOf(view: View): StoredNetwork | undefined {
  for (const network of view.networks.values()) {
    if (network.spec.ingress && network.pendingDelete !== true) return network;
  }
  return undefined;
}

/** A worker reports RUNNING once the task is healthy; a node whose daemon restarts (disconnected) serves on. */
function isServing(task: StoredTask, node: StoredNode): boolean {
  return (
    task.status.state === TaskState.RUNNING &&
    task.desiredState <= TaskState.RUNNING &&
    node.status.state !== NodeState.DOWN
  );
}

function withoutPrefix(cidr: string): string {
  return cidr.split("/", 1)[0] ?? cidr;
}
