import {
  type PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
} from "../../proto/gen/objects.ts";
import type { StoredService } from "./objects.ts";
import type { View } from "./tables.ts";

/** Whether every node answers on the published port; the default. */
export function isIngressPort(port: PortConfig): boolean {
  return port.publishMode !== PortConfig_PublishMode.HOST;
}

/** "80/tcp": what may be published once. */
export function publishedKey(port: PortConfig): string {
  return `${port.publishedPort}/${protocolName(port.protocol)}`;
}

function protocolName(protocol: PortConfig_Protocol): string {
  if (protocol === PortConfig_Protocol.UDP) return "udp";
  return protocol === PortConfig_Protocol.SCTP ? "sctp" : "tcp";
}

/** Whether tasks of such a service need an address on the ingress network. */
export function publishesIngress(ports: readonly PortConfig[]): boolean {
  return ports.some(isIngressPort);
}

/**
 * The service's ports as its spec has them now, published ports filled in from what it was given as far as that
 * still fits; 0 where the allocator has yet to choose.
 */
export function effectivePorts(service: Pick<StoredService, "spec" | "endpoint">): PortConfig[] {
  const wanted = service.spec.endpoint?.ports ?? [];
  const chosen = chosenPorts(service);
  return wanted.map((port) => {
    if (port.publishedPort !== 0 || !isIngressPort(port)) return port;
    const place = chosen.findIndex((other) => sameTarget(other, port));
    const [match] = place < 0 ? [] : chosen.splice(place, 1);
    return match === undefined ? port : { ...port, publishedPort: match.publishedPort };
  });
}

/** The ports of the allocated endpoint that its spec had left open. */
function chosenPorts({ endpoint }: Pick<StoredService, "endpoint">): PortConfig[] {
  const asked = endpoint?.spec?.ports ?? [];
  return (endpoint?.ports ?? []).filter(
    (port, i) => asked[i]?.publishedPort === 0 && port.publishedPort !== 0,
  );
}

function sameTarget(a: PortConfig, b: PortConfig): boolean {
  return (
    a.targetPort === b.targetPort &&
    protocolName(a.protocol) === protocolName(b.protocol) &&
    isIngressPort(a) === isIngressPort(b)
  );
}

/** The published ports a service holds on every node: at most one service may have each. */
export function heldPorts(service: Pick<StoredService, "spec" | "endpoint">): string[] {
  return effectivePorts(service)
    .filter((port) => isIngressPort(port) && port.publishedPort !== 0)
    .map(publishedKey);
}

/**
 * What the swarm itself needs, by port as of `publishedKey`, with words that say for what: a service that got one of
 * these would cut the managers from each other, or the nodes' overlay networks.
 */
export function swarmPorts(view: View): ReadonlyMap<string, string> {
  const ports = new Map<string, string>();
  const dataPathPort = view.cluster?.dataPathPort ?? 0;
  if (dataPathPort !== 0) ports.set(`${dataPathPort}/udp`, "overlay networks run over it");
  for (const { manager } of view.nodes.values()) {
    if (manager === undefined) continue;
    const port = manager.addr.slice(manager.addr.lastIndexOf(":") + 1);
    ports.set(`${port}/tcp`, `a manager listens at ${manager.addr}`);
  }
  return ports;
}
