import {
  EndpointSpec,
  EndpointSpec_Mode,
  type PortConfig,
  type ServiceEndpoint,
  type VirtualIp,
} from "../../proto/gen/objects.ts";
import { ingressNetworkOf } from "../endpoints/entries.ts";
import { equalData } from "../store/equal.ts";
import type { StoredService } from "../store/objects.ts";
import {
  effectivePorts,
  isIngressPort,
  publishedKey,
  publishesIngress,
  swarmPorts,
} from "../store/ports.ts";
import type { View } from "../store/tables.ts";
import type { Allocations } from "./allocations.ts";
import { planNetwork } from "./network-plan.ts";

/** The ports given to services that leave the choice to the swarm. Source: swarmkit, portallocator. */
export const DYNAMIC_PORT_MIN = 30_000;
export const DYNAMIC_PORT_MAX = 32_767;

/** What a service gets, or what it lacks. */
export type EndpointAllocation =
  | { readonly endpoint: ServiceEndpoint }
  | { readonly problem: string };

/** Whether the service has all that its spec asks for, and nothing else. */
export function isEndpointCurrent(view: View, service: StoredService): boolean {
  const { endpoint } = service;
  if (endpoint === undefined) return false;
  const networks = virtualIpNetworks(view, service);
  return (
    networks !== undefined &&
    equalData(endpoint.spec, endpointSpec(service)) &&
    equalData(
      networks,
      endpoint.virtualIps.map(({ networkId }) => networkId),
    )
  );
}

/**
 * Gives a service a virtual address on each of its networks and a number for each published port left open. What it
 * has and still needs it keeps.
 *
 * @param reservedPorts ports given to other services that are not in the view yet; the service's are added.
 */
export function planEndpoint(
  view: View,
  service: StoredService,
  { allocations, reservedPorts }: { allocations: Allocations; reservedPorts: Set<string> },
): EndpointAllocation {
  const networks = virtualIpNetworks(view, service);
  if (networks === undefined) return { problem: "there is no ingress network to publish ports on" };
  const virtualIps: VirtualIp[] = [];
  const taken: VirtualIp[] = [];
  for (const networkId of networks) {
    const kept = service.endpoint?.virtualIps.find((vip) => vip.networkId === networkId);
    const address = kept?.address ?? allocations.take(networkId, service.id);
    if (address === undefined) {
      allocations.release(service.id, taken);
      return { problem: networkProblem(view, networkId) };
    }
    const vip = { networkId, address };
    virtualIps.push(vip);
    if (kept === undefined) taken.push(vip);
  }
  const ports = choosePorts(view, service, reservedPorts);
  if (ports === undefined) {
    allocations.release(service.id, taken);
    return { problem: `no published port from ${DYNAMIC_PORT_MIN} to ${DYNAMIC_PORT_MAX} is free` };
  }
  return { endpoint: { spec: endpointSpec(service), ports, virtualIps } };
}

/** Why an address cannot be had on a network. */
export function networkProblem(view: View, networkId: string): string {
  const network = view.networks.get(networkId);
  if (network === undefined) return `network ${networkId} is not there`;
  const { name } = network.spec;
  if (network.vni === 0) {
    const plan = planNetwork(view, network);
    return `network ${name} has no subnet: ${"problem" in plan ? plan.problem : "it is being allocated"}`;
  }
  const subnets = network.ipam.map(({ subnet }) => subnet).join(", ");
  return `no free address on network ${name} (${subnets})`;
}

/** The networks the service needs a virtual address on; undefined when it needs an ingress network and there is none. */
function virtualIpNetworks(view: View, service: StoredService): string[] | undefined {
  const { mode, ports } = endpointSpec(service);
  const ids =
    mode === EndpointSpec_Mode.DNSRR ? [] : service.spec.task.networks.map(({ target }) => target);
  if (!publishesIngress(ports)) return ids;
  const ingress = ingressNetworkOf(view);
  if (ingress === undefined) return undefined;
  return mode === EndpointSpec_Mode.DNSRR ? ids : [...ids, ingress.id];
}

function endpointSpec(service: StoredService): EndpointSpec {
  return service.spec.endpoint ?? EndpointSpec.create();
}

function choosePorts(
  view: View,
  service: StoredService,
  reserved: Set<string>,
): PortConfig[] | undefined {
  const ports: PortConfig[] = [];
  for (const port of effectivePorts(service)) {
    if (port.publishedPort !== 0 || !isIngressPort(port)) {
      ports.push(port);
      continue;
    }
    const chosen = freePort(view, port, reserved);
    if (chosen === undefined) return undefined;
    reserved.add(publishedKey(chosen));
    ports.push(chosen);
  }
  return ports;
}

function freePort(
  view: View,
  port: PortConfig,
  reserved: ReadonlySet<string>,
): PortConfig | undefined {
  const own = swarmPorts(view);
  for (let number = DYNAMIC_PORT_MIN; number <= DYNAMIC_PORT_MAX; number++) {
    const candidate = { ...port, publishedPort: number };
    const key = publishedKey(candidate);
    const taken = view.services.byPort(key) !== undefined || reserved.has(key) || own.has(key);
    if (!taken) return candidate;
  }
  return undefined;
}
