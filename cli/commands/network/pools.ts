import { ClusterError } from "../../../core/errors.ts";
import { splitPair } from "../../flags/parse.ts";

/** Addresses of a new network as flags say them. */
export interface PoolFlags {
  readonly subnet?: readonly string[];
  readonly gateway?: readonly string[];
  readonly ipRange?: readonly string[];
  readonly auxAddress?: readonly string[];
}

/** One entry of Docker's IPAM.Config. */
export interface WirePool {
  readonly Subnet: string;
  readonly Gateway?: string;
  readonly IPRange?: string;
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>>;
}

/**
 * Each subnet with what belongs to it: of its family (IPv4, IPv6), in the order of the flags; reserved addresses go to the
 * first of their family.
 *
 * @throws {ClusterError} InvalidArgument for what has no subnet.
 */
export function planPools({
  subnet: subnets = [],
  gateway: gateways = [],
  ipRange: ranges = [],
  auxAddress = [],
}: PoolFlags): WirePool[] {
  const reserved = auxAddress.map(splitPair);
  const left = { gateway: [...gateways], range: [...ranges], reserved: [...reserved] };
  const pools = subnets.map((subnet): WirePool => {
    const ofFamily = (text: string) => isIpv6(text) === isIpv6(subnet);
    const gateway = takeOne(left.gateway, ofFamily);
    const range = takeOne(left.range, ofFamily);
    const own = left.reserved.filter(([, address]) => ofFamily(address));
    left.reserved = left.reserved.filter(([, address]) => !ofFamily(address));
    return {
      Subnet: subnet,
      ...(gateway === undefined ? {} : { Gateway: gateway }),
      ...(range === undefined ? {} : { IPRange: range }),
      ...(own.length === 0 ? {} : { AuxiliaryAddresses: Object.fromEntries(own) }),
    };
  });
  if (left.gateway.length + left.range.length + left.reserved.length === 0) return pools;
  throw new ClusterError(
    "InvalidArgument",
    "every --gateway, --ip-range and --aux-address needs a --subnet of its family",
  );
}

function takeOne(from: string[], fits: (text: string) => boolean): string | undefined {
  const at = from.findIndex(fits);
  return at === -1 ? undefined : from.splice(at, 1)[0];
}

function isIpv6(text: string): boolean {
  return text.includes(":");
}
