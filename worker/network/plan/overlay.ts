import type { Endpoint, EndpointTable } from "../../../proto/gen/endpoints.ts";
import { isIpv4, parseCidr } from "../../../runtime/network/plan/cidr.ts";
import { macOf } from "../../../runtime/network/plan/link-names.ts";
import type { NodeFacts, SandboxSpec } from "../types.ts";
import { EMPTY_LAYOUT, type Entry, type Layout, type PairLink } from "./layout.ts";
import { bridgeName, INGRESS_LINK, INGRESS_PORT, portName, tunnelName } from "./names.ts";

/** Outer Ethernet, IPv4, UDP and VXLAN headers. */
const VXLAN_OVERHEAD_BYTES = 50;
/** Docker's driver option for networks whose path carries less than the interface says. */
const MTU_OPTION = "com.docker.network.driver.mtu";
/** The first interface of a sandbox after lo. */
const FIRST_INDEX = 2;

/** Only its own addresses may come in there and only frames for them go out. */
const CONTAINER_PORT = { learning: false, flood: false, isolated: false } as const;

/** What a node knows when it plans one network. */
export interface OverlayFacts {
  readonly node: NodeFacts;
  /** MTU of the interface that has `node.dataAddress`. */
  readonly underlayMtu: number;
  readonly sandboxes: readonly SandboxSpec[];
}

/**
 * The bridge, tunnel, ports and forwarding entries of one network on this node; empty when the node has no foot in it.
 *
 * All entries come from the table: nothing is learned from traffic, nothing is asked by broadcast between nodes. Frames
 * for addresses no local port has go to the tunnel, which drops what it does not know.
 */
export function planOverlay(table: EndpointTable, facts: OverlayFacts): Layout {
  const { networkId } = table;
  const attached = facts.sandboxes.filter((sandbox) => isAttached(sandbox, networkId));
  const ingress = ingressAddress(table, facts.node.nodeId);
  if (table.network === undefined || (attached.length === 0 && ingress === undefined))
    return EMPTY_LAYOUT;

  const mtu = overlayMtu(table, facts.underlayMtu);
  const pairs = attached.map((sandbox) => sandboxPair(sandbox, networkId, mtu));
  if (ingress !== undefined) pairs.push(ingressPair(ingress, mtu));
  const bridge = bridgeName(networkId);
  const { dataAddress, dataPathPort } = facts.node;
  return {
    links: [
      { kind: "bridge", name: bridge, mtu, mac: bridgeMac(table.network.vni) },
      {
        kind: "vxlan",
        name: tunnelName(networkId),
        mtu,
        vni: table.network.vni,
        local: dataAddress,
        port: dataPathPort,
      },
      ...pairs,
    ],
    entries: [
      ...pairs.map(
        (pair): Entry => ({ kind: "port", link: pair.name, key: pair.peer.mac, value: "" }),
      ),
      ...remoteEntries(table, facts.node.nodeId, new Set(pairs.map((pair) => pair.peer.mac))),
    ],
  };
}

/** The node's own address on the ingress network, if this is it and there is one. */
export function ingressAddress(table: EndpointTable, nodeId: string): string | undefined {
  if (table.network?.ingress !== true) return undefined;
  const own = table.nodes.find((node) => node.nodeId === nodeId);
  return own?.addresses.find(isIpv4);
}

/** Largest packet inside the network. */
export function overlayMtu(table: EndpointTable, underlayMtu: number): number {
  const asked = Number(table.network?.driverOptions[MTU_OPTION] ?? "");
  return asked > 0 ? asked : underlayMtu - VXLAN_OVERHEAD_BYTES;
}

/** Which of the sandbox's interfaces is in the network: `eth<number>`; -1: none. */
export function interfaceNumber(sandbox: SandboxSpec, networkId: string): number {
  return sandbox.attachments.findIndex((attachment) => attachment.networkId === networkId);
}

/** The index an interface of a sandbox gets, so that all of it can be set up in one go. */
export function interfaceIndex(number: number): number {
  return FIRST_INDEX + number;
}

function isAttached(sandbox: SandboxSpec, networkId: string): boolean {
  return interfaceNumber(sandbox, networkId) >= 0;
}

function sandboxPair(sandbox: SandboxSpec, networkId: string, mtu: number): PairLink {
  const number = interfaceNumber(sandbox, networkId);
  const addresses = sandbox.attachments[number]?.addresses.filter(isIpv4) ?? [];
  return {
    kind: "veth",
    name: portName(sandbox.id, networkId),
    mtu,
    treatment: CONTAINER_PORT,
    peer: {
      name: `eth${number}`,
      mac: macOf(parseCidr(addresses[0] ?? "").address),
      index: interfaceIndex(number),
      namespace: { kind: "sandbox", id: sandbox.id },
    },
  };
}

function ingressPair(address: string, mtu: number): PairLink {
  const peer = {
    name: INGRESS_LINK,
    mac: macOf(address),
    index: 0,
    namespace: { kind: "host" },
  } as const;
  return { kind: "veth", name: INGRESS_PORT, mtu, treatment: CONTAINER_PORT, peer };
}

/** Where endpoints and nodes elsewhere are. `localMacs` are here, whatever an older table says. */
function remoteEntries(
  table: EndpointTable,
  nodeId: string,
  localMacs: ReadonlySet<string>,
): Entry[] {
  const tunnel = tunnelName(table.networkId);
  const remote: readonly Pick<Endpoint, "nodeId" | "nodeAddr" | "addresses">[] = [
    ...table.endpoints,
    ...table.nodes,
  ];
  return remote
    .filter((one) => one.nodeId !== nodeId && one.nodeAddr !== "" && isIpv4(one.nodeAddr))
    .flatMap((one) =>
      one.addresses.filter(isIpv4).map((address) => ({ address, node: one.nodeAddr })),
    )
    .filter(({ address }) => !localMacs.has(macOf(address)))
    .flatMap(({ address, node }): Entry[] => [
      { kind: "tunnel", link: tunnel, key: macOf(address), value: node },
      { kind: "arp", link: tunnel, key: address, value: macOf(address) },
    ]);
}

/** Any address will do, as long as it stays: a bridge without one changes it with its ports. */
function bridgeMac(vni: number): string {
  const bytes = [vni >>> 16, vni >>> 8, vni].map((part) =>
    (part & 0xff).toString(16).padStart(2, "0"),
  );
  return `02:6d:75:${bytes.join(":")}`;
}
