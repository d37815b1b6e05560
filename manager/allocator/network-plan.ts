import type { IpamConfig, NetworkSpec } from "../../proto/gen/objects.ts";
import { Network } from "../../proto/gen/objects.ts";
import type { StoredNetwork } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import {
  type Block,
  firstFreeBlock,
  formatAddress,
  formatBlock,
  overlaps,
  parseBlock,
} from "./ipv4.ts";

/** The first VXLAN network identifier given out, and the last there is. Source: swarmkit, RFC 7348. */
export const VNI_MIN = 4096;
export const VNI_MAX = 2 ** 24 - 1;

/** Docker's defaults for a swarm that names no pools. */
export const DEFAULT_ADDRESS_POOL = "10.0.0.0/8";
export const DEFAULT_SUBNET_SIZE = 24;

/** The network of published ports, as every new swarm has it. */
export function ingressNetwork(id: string): Network {
  const spec: Partial<NetworkSpec> = { name: "ingress", driver: "overlay", ingress: true };
  return Network.fromPartial({ id, spec });
}

/** What a network gets, or why it cannot have it. */
export type NetworkAllocation =
  | { readonly vni: number; readonly ipam: IpamConfig[] }
  | { readonly problem: string };

/** Chooses an identifier and subnets for a network that has none. */
export function planNetwork(view: View, network: StoredNetwork): NetworkAllocation {
  const vni = freeVni(view);
  if (vni === undefined) return { problem: `no VXLAN identifier up to ${VNI_MAX} is free` };
  const taken = takenBlocks(view, network.id);
  const wanted = network.spec.ipam.length > 0 ? network.spec.ipam : [{ ...NO_IPAM }];
  const ipam: IpamConfig[] = [];
  for (const config of wanted) {
    const block = config.subnet === "" ? freeSubnet(view, taken) : parseBlock(config.subnet);
    if (block === undefined) {
      const problem =
        config.subnet === ""
          ? "the swarm's address pools have no free subnet left"
          : `${config.subnet} is no IPv4 subnet`;
      return { problem };
    }
    const other = taken.find((used) => overlaps(used, block));
    if (other !== undefined) {
      return {
        problem: `subnet ${config.subnet} overlaps ${formatBlock(other)} of another network`,
      };
    }
    taken.push(block);
    const gateway = config.gateway === "" ? formatAddress(block.first + 1) : config.gateway;
    ipam.push({ subnet: formatBlock(block), gateway, ipRange: config.ipRange });
  }
  return { vni, ipam };
}

/**
 * Why these subnets cannot be had beside the networks there are; undefined when they can. For the control API, which
 * refuses them at once.
 */
export function findSubnetConflict(view: View, ipam: readonly IpamConfig[]): string | undefined {
  const taken = takenBlocks(view, "");
  for (const { subnet } of ipam) {
    if (subnet === "") continue;
    const block = parseBlock(subnet);
    if (block === undefined) return `${subnet} is no IPv4 subnet`;
    const other = taken.find((used) => overlaps(used, block));
    if (other !== undefined) {
      return `subnet ${subnet} overlaps ${formatBlock(other)} of another network`;
    }
    taken.push(block);
  }
  return undefined;
}

const NO_IPAM: IpamConfig = { subnet: "", gateway: "", ipRange: "" };

function freeVni(view: View): number | undefined {
  const taken = new Set<number>();
  for (const network of view.networks.values()) taken.add(network.vni);
  for (let vni = VNI_MIN; vni <= VNI_MAX; vni++) if (!taken.has(vni)) return vni;
  return undefined;
}

/** Subnets in use, those of networks on their way out too: tasks may still have addresses there. */
function takenBlocks(view: View, exceptId: string): Block[] {
  const blocks: Block[] = [];
  for (const network of view.networks.values()) {
    if (network.id === exceptId) continue;
    for (const { subnet } of network.ipam) {
      const block = parseBlock(subnet);
      if (block !== undefined) blocks.push(block);
    }
  }
  return blocks;
}

function freeSubnet(view: View, taken: readonly Block[]): Block | undefined {
  const configured = view.cluster?.defaultAddressPools ?? [];
  const pools = configured.length > 0 ? configured : [DEFAULT_ADDRESS_POOL];
  const prefixLength = view.cluster?.subnetSize || DEFAULT_SUBNET_SIZE;
  for (const pool of pools) {
    const block = parseBlock(pool);
    const free = block === undefined ? undefined : firstFreeBlock(block, prefixLength, taken);
    if (free !== undefined) return free;
  }
  return undefined;
}
