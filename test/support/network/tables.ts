import { Endpoint, EndpointTable } from "../../../proto/gen/endpoints.ts";
import {
  EndpointSpec_Mode,
  PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
} from "../../../proto/gen/objects.ts";
import type { SandboxSpec } from "../../../worker/network/types.ts";
import type { LabHost } from "../lab/lab.ts";

/** Tables and sandboxes of a small swarm, as a manager would make them. */

export const APP_NETWORK = "app0network0000000000000a";
export const INGRESS_NETWORK = "ingress0network000000000b";
export const APP_VIP = "10.0.1.2";
export const PUBLISHED_PORT = 8080;
export const SERVICE_PORT = 7000;

/** Where a task of the one service runs. */
export interface Placement {
  readonly slot: number;
  readonly host: LabHost;
  readonly serving: boolean;
}

export function taskId(slot: number): string {
  return `task${slot}`;
}

/** Address of a slot's task: on the network with this third byte. */
function address(network: number, slot: number): string {
  return `10.0.${network}.${10 + slot}`;
}

function endpoints(network: number, placements: readonly Placement[]): Endpoint[] {
  return placements.map(({ slot, host, serving }) =>
    Endpoint.fromPartial({
      taskId: taskId(slot),
      serviceId: "web0service",
      slot,
      nodeId: host.name,
      nodeAddr: host.ip,
      addresses: [address(network, slot)],
      aliases: [`web.${slot}.${taskId(slot)}`],
      serving,
    }),
  );
}

export function appTable(version: number, placements: readonly Placement[]): EndpointTable {
  return EndpointTable.fromPartial({
    networkId: APP_NETWORK,
    version,
    network: { name: "app", vni: 4100, ipam: [{ subnet: "10.0.1.0/24", gateway: "10.0.1.1" }] },
    services: [
      {
        serviceId: "web0service",
        name: "web",
        mode: EndpointSpec_Mode.VIP,
        virtualIps: [APP_VIP],
        aliases: ["www"],
      },
    ],
    endpoints: endpoints(1, placements),
  });
}

export function ingressTable(
  version: number,
  placements: readonly Placement[],
  hosts: readonly LabHost[],
): EndpointTable {
  const port = { targetPort: SERVICE_PORT, publishedPort: PUBLISHED_PORT };
  const publishMode = PortConfig_PublishMode.INGRESS;
  return EndpointTable.fromPartial({
    networkId: INGRESS_NETWORK,
    version,
    network: {
      name: "ingress",
      vni: 4101,
      ipam: [{ subnet: "10.0.0.0/24", gateway: "10.0.0.1" }],
      ingress: true,
    },
    services: [
      {
        serviceId: "web0service",
        name: "web",
        mode: EndpointSpec_Mode.VIP,
        virtualIps: ["10.0.0.3"],
        ports: [
          { ...port, protocol: PortConfig_Protocol.TCP, publishMode },
          { ...port, protocol: PortConfig_Protocol.UDP, publishMode },
        ],
      },
    ],
    endpoints: endpoints(0, placements),
    nodes: hosts.map((host, index) => ({
      nodeId: host.name,
      nodeAddr: host.ip,
      addresses: [`10.0.0.${200 + index}`],
    })),
  });
}

export function sandboxSpec(
  slot: number,
  hostPort?: number,
  nameservers: readonly string[] = [],
): SandboxSpec {
  return {
    id: taskId(slot),
    hostname: `host${slot}`,
    attachments: [
      { networkId: INGRESS_NETWORK, addresses: [`${address(0, slot)}/24`], aliases: [] },
      { networkId: APP_NETWORK, addresses: [`${address(1, slot)}/24`], aliases: [] },
    ],
    hostPorts:
      hostPort === undefined
        ? []
        : [
            PortConfig.fromPartial({
              protocol: PortConfig_Protocol.TCP,
              targetPort: SERVICE_PORT,
              publishedPort: hostPort,
              publishMode: PortConfig_PublishMode.HOST,
            }),
          ],
    dns: { nameservers, search: [], options: [] },
  };
}
