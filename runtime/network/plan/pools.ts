import { ClusterError } from "../../../core/errors.ts";
import {
  formatIp,
  formatSubnet,
  holds,
  type IpFamily,
  type IpSubnet,
  parseIp,
  parseSubnet,
} from "../../../core/ip.ts";
import type { Pool } from "../types.ts";

/** Addresses that somebody asks for in a new network; each empty: any. */
export interface PoolRequest {
  readonly subnet: string;
  readonly gateway: string;
  readonly ipRange: string;
  readonly reserved: Readonly<Record<string, string>>;
}

const RESERVED_MAX = 1024;
const POOLS_MAX = 16;
/** Network, gateway, a container and the broadcast address. */
const PREFIX_MAX: Readonly<Record<IpFamily, number>> = { 4: 30, 6: 126 };
/** Docker's frame around all of these. */
const FRAME = "invalid network config:\n";

/**
 * The pools that are asked for, one a family at most.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words. Source: moby, api/types/network/ipam.go.
 */
export function readPools(
  requests: readonly PoolRequest[],
  driver: string,
): Partial<Record<IpFamily, Pool>> {
  if (requests.length > POOLS_MAX) throw invalid(`more than ${POOLS_MAX} subnets`);
  const pools: Partial<Record<IpFamily, Pool>> = {};
  for (const request of requests) {
    if (isEmpty(request)) continue;
    const subnet = parseSubnet(request.subnet);
    if (subnet === undefined) throw invalidBlock("subnet", request.subnet);
    if (pools[subnet.family] !== undefined)
      throw new ClusterError(
        "InvalidArgument",
        `${driver} driver doesn't support multiple subnets`,
      );
    pools[subnet.family] = readPool(request, subnet);
  }
  return pools;
}

function readPool(request: PoolRequest, subnet: IpSubnet): Pool {
  const text = formatSubnet(subnet);
  requireCanonical("subnet", request.subnet, subnet);
  if (subnet.prefixLength > PREFIX_MAX[subnet.family])
    throw invalid(`invalid subnet ${text}: it has no room for a container beside the gateway`);
  const { ipRange, gateway, reserved } = request;
  if (ipRange !== "") checkRange(ipRange, subnet);
  if (gateway !== "") checkMember("gateway", gateway, subnet);
  const names = Object.entries(reserved);
  if (names.length > RESERVED_MAX) throw invalid(`more than ${RESERVED_MAX} auxiliary addresses`);
  for (const [, address] of names) checkMember("auxiliary address", address, subnet);
  return {
    subnet: text,
    gateway: gateway === "" ? gatewayIn(subnet) : canonical(gateway),
    ipRange,
    reserved: Object.fromEntries(names.map(([name, address]) => [name, canonical(address)])),
    isChosen: true,
  };
}

/** The first address of a subnet that can be one. */
export function gatewayIn({ family, first }: IpSubnet): string {
  return formatIp({ family, number: first + 1n });
}

function checkRange(text: string, subnet: IpSubnet): void {
  const range = parseSubnet(text);
  if (range === undefined) throw invalidBlock("ip-range", text);
  requireCanonical("ip-range", text, range);
  if (range.family !== subnet.family)
    throw invalid(`invalid ip-range ${text}: parent subnet is an IPv${subnet.family} block`);
  if (range.prefixLength < subnet.prefixLength)
    throw invalid(
      `invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${formatSubnet(subnet)}`,
    );
  if (range.first < subnet.first || range.last > subnet.last)
    throw invalid(
      `invalid ip-range ${text}: parent subnet ${formatSubnet(subnet)} doesn't contain ip-range`,
    );
}

function checkMember(what: string, text: string, subnet: IpSubnet): void {
  const ip = parseIp(text);
  const shown = text.slice(0, 100);
  if (ip === undefined) throw invalid(`invalid ${what} ${shown}: invalid address`);
  if (ip.family !== subnet.family)
    throw invalid(`invalid ${what} ${shown}: parent subnet is an IPv${subnet.family} block`);
  if (!holds(subnet, ip))
    throw invalid(
      `invalid ${what} ${shown}: parent subnet ${formatSubnet(subnet)} doesn't contain this address`,
    );
}

function requireCanonical(what: string, text: string, subnet: IpSubnet): void {
  const [address = ""] = text.split("/");
  if (parseIp(address)?.number !== subnet.first)
    throw invalid(`invalid ${what} ${text}: it should be ${formatSubnet(subnet)}`);
}

function canonical(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}

function isEmpty({ subnet, gateway, ipRange, reserved }: PoolRequest): boolean {
  return subnet + gateway + ipRange === "" && Object.keys(reserved).length === 0;
}

function invalidBlock(what: string, text: string): ClusterError {
  return invalid(`invalid ${what} ${text.slice(0, 100)}: invalid CIDR block notation`);
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", FRAME + message);
}
