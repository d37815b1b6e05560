import type { InterfaceAddress, Route } from "../../../runtime/linux/netlink/route.ts";
import { type Cidr, isIpv4, parseCidr } from "../../../runtime/network/plan/cidr.ts";
import { macOf } from "../../../runtime/network/plan/link-names.ts";
import { LOOPBACK_INDEX } from "../../../runtime/network/plan/loopback.ts";
import type { SandboxSpec } from "../types.ts";
import type { Layout, PairLink } from "./layout.ts";
import { GATEWAY_BRIDGE, gatewayPortName } from "./names.ts";
import { interfaceIndex } from "./overlay.ts";

/** What one sandbox needs beside its ports on overlays. */
export interface SandboxLinks {
  /** Indexes of interfaces to bring up, lo first. */
  readonly up: readonly number[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
}

/** The local bridge: one for all sandboxes. */
export interface Gateway {
  readonly subnet: Cidr;
  /** The bridge's own address: the sandboxes' default route. */
  readonly address: string;
  readonly mtu: number;
}

/** A sandbox with its address on the local bridge; undefined: it has no way out (internal networks only). */
export interface PlacedSandbox {
  readonly spec: SandboxSpec;
  readonly gatewayAddress: string | undefined;
}

/** Containers reach the bridge, and through it the outside, but not each other: overlays are for that. */
const GATEWAY_PORT = { learning: false, flood: false, isolated: true } as const;

/** Interfaces, addresses and routes inside the sandbox's namespace. */
export function planInside(
  { spec, gatewayAddress }: PlacedSandbox,
  gateway: Gateway,
): SandboxLinks {
  const addresses = spec.attachments.flatMap((attachment, number) =>
    attachment.addresses.filter(isIpv4).map((text) => {
      const { address, prefixLength } = parseCidr(text);
      return { index: interfaceIndex(number), address, prefixLength };
    }),
  );
  const indexes = [LOOPBACK_INDEX, ...spec.attachments.map((_, number) => interfaceIndex(number))];
  if (gatewayAddress === undefined) return { up: indexes, addresses, routes: [] };

  const index = interfaceIndex(spec.attachments.length);
  const { prefixLength } = gateway.subnet;
  return {
    up: [...indexes, index],
    addresses: [...addresses, { index, address: gatewayAddress, prefixLength }],
    routes: [{ destination: "0.0.0.0", prefixLength: 0, gateway: gateway.address, index }],
  };
}

/** The local bridge with a port for each sandbox that has a way out. */
export function planGateway(sandboxes: readonly PlacedSandbox[], gateway: Gateway): Layout {
  const pairs = sandboxes.flatMap(({ spec, gatewayAddress }): PairLink[] =>
    gatewayAddress === undefined ? [] : [gatewayPair(spec, gatewayAddress, gateway.mtu)],
  );
  return {
    links: [
      { kind: "bridge", name: GATEWAY_BRIDGE, mtu: gateway.mtu, mac: macOf(gateway.address) },
      ...pairs,
    ],
    entries: pairs.map((pair) => ({
      kind: "port",
      link: pair.name,
      key: pair.peer.mac,
      value: "",
    })),
  };
}

function gatewayPair(spec: SandboxSpec, address: string, mtu: number): PairLink {
  return {
    kind: "veth",
    name: gatewayPortName(spec.id),
    mtu,
    treatment: GATEWAY_PORT,
    peer: {
      name: `eth${spec.attachments.length}`,
      mac: macOf(address),
      index: interfaceIndex(spec.attachments.length),
      namespace: { kind: "sandbox", id: spec.id },
    },
  };
}
