import { ClusterError } from "../../../core/errors.ts";
import { formatSubnet, type IpSubnet, parseSubnet, subnetsOverlap } from "../../../core/ip.ts";
import type { LocalNetwork, NetworkDriver, Pool } from "../types.ts";
import { readBridgeOptions } from "./bridge-options.ts";
import type { Cidr } from "./cidr.ts";
import { planConfigNetwork, withConfig } from "./config-network.ts";
import { chooseNetworkSubnet } from "./gateway-subnet.ts";
import { gatewayIn, type PoolRequest, readPools } from "./pools.ts";
import { poolOf, subnetsOf } from "./predefined.ts";
import { findSharedLink, type SharedLink } from "./shared-link.ts";

/** What somebody asks of a new network. */
export interface NetworkCreation {
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipv6: boolean;
  readonly pools: readonly PoolRequest[];
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** It holds settings for others and is no network itself. */
  readonly configOnly: boolean;
  /** The name of a network that holds its settings; empty: it has its own. */
  readonly configFrom: string;
}

/** What a new network is, but for its id and the time. */
export type PlannedNetwork = Omit<LocalNetwork, "id" | "createdAtMs">;

const NAME_LENGTH_MAX = 128;
export const NETWORKS_MAX = 1000;
/** Names that stand for what containers can do without a network that somebody made. */
const PREDEFINED = ["bridge", "host", "none", "default"];
const UNIQUE_DRIVERS = ["host", "null"];
const DRIVERS: readonly NetworkDriver[] = ["bridge", "macvlan", "ipvlan"];

/** Whether a network is there on every machine and cannot be made or removed. */
export function isPredefined(name: string): boolean {
  return PREDEFINED.includes(name);
}

/**
 * What a new network is to be.
 *
 * @param known the networks there are.
 * @param taken IPv4 subnets this machine uses otherwise.
 * @param seed hexadecimal, at random: of what an IPv6 subnet is made when none is named.
 * @throws {ClusterError} InvalidArgument, AlreadyExists, PermissionDenied, ResourceExhausted. Docker's words.
 */
export function planNetwork(
  asks: NetworkCreation,
  known: readonly LocalNetwork[],
  { taken, seed }: { readonly taken: readonly Cidr[]; readonly seed: string },
): PlannedNetwork {
  checkName(asks.name, known);
  if (asks.configOnly) return planConfigNetwork(asks);
  const creation = withConfig(asks, known);
  const { name, attachable, labels, options, configFrom } = creation;
  const driver = readDriver(creation.driver);
  const { linkName } = readBridgeOptions(options, creation);
  const shared = findSharedLink({ ...creation, driver });
  if (shared !== undefined) checkParent(name, shared, known);
  // What has no link to share leads nowhere.
  const internal = creation.internal || shared?.parent === "";
  const holder = known.find((one) => linkName !== "" && linkNameOf(one) === linkName);
  if (holder !== undefined)
    throw refused(`cannot create network ${name}: bridge ${linkName} is that of ${holder.name}`);
  const asked = readPools(creation.pools, driver);
  if (asked[6] !== undefined && !creation.ipv6)
    throw new ClusterError(
      "InvalidArgument",
      "invalid network config:\nan IPv6 subnet is given and IPv6 is not enabled",
    );
  for (const pool of [asked[4], asked[6]]) checkFree(pool, known);
  const ipv6 = creation.ipv6 ? (asked[6] ?? uniqueLocal(seed)) : undefined;
  const ipv4 = asked[4] ?? poolOf(chooseNetworkSubnet([...taken, ...known.flatMap(subnetsOf)]));
  const source = configFrom === "" ? {} : { configFrom };
  return { name, driver, ipv4, ipv6, internal, attachable, labels, options, ...source };
}

/** The name of the link that somebody chose for a bridge; empty: none. */
export function linkNameOf({ driver, options }: Pick<LocalNetwork, "driver" | "options">): string {
  return driver === "bridge" ? readBridgeOptions(options).linkName : "";
}

/** One network a link: containers of two would meet on it all the same. */
function checkParent(name: string, { parent }: SharedLink, known: readonly LocalNetwork[]): void {
  if (parent === "") return;
  const holder = known.find((one) => findSharedLink(one)?.parent === parent);
  if (holder !== undefined)
    throw refused(`cannot create network ${name}: ${holder.name} has parent link ${parent}`);
}

function checkName(name: string, known: readonly LocalNetwork[]): void {
  const shown = name.slice(0, NAME_LENGTH_MAX);
  if (name.trim() === "") throw new ClusterError("InvalidArgument", "invalid name: name is empty");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (name.length > NAME_LENGTH_MAX || /[\u0000-\u001f\u007f/\\]/.test(name))
    throw new ClusterError("InvalidArgument", `invalid name: ${JSON.stringify(shown)}`);
  if (isPredefined(name)) throw refused(`operation is not permitted on predefined ${name} network`);
  if (known.some((one) => one.name === name)) throw nameTaken(name);
  if (known.length >= NETWORKS_MAX)
    throw new ClusterError("ResourceExhausted", `there are ${NETWORKS_MAX} networks already`);
}

export function nameTaken(name: string): ClusterError {
  return new ClusterError("AlreadyExists", `network with name ${name} already exists`);
}

function readDriver(name: string): NetworkDriver {
  const wanted = name === "" ? "bridge" : name;
  const driver = DRIVERS.find((one) => one === wanted);
  if (driver !== undefined) return driver;
  const shown = wanted.slice(0, 100);
  if (UNIQUE_DRIVERS.includes(wanted))
    throw refused(`only one instance of "${shown}" network is allowed`);
  throw new ClusterError("NotFound", `plugin "${shown}" not found`);
}

function checkFree(pool: Pool | undefined, known: readonly LocalNetwork[]): void {
  const subnet = pool === undefined ? undefined : parseSubnet(pool.subnet);
  if (subnet === undefined) return;
  const others = known
    .filter(({ config }) => config === undefined)
    .flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
    .flatMap(parsed);
  if (others.some((other) => subnetsOverlap(other, subnet)))
    throw refused("invalid pool request: Pool overlaps with other one on this address space");
}

function parsed(pool: Pool | undefined): IpSubnet[] {
  const subnet = pool === undefined ? undefined : parseSubnet(pool.subnet);
  return subnet === undefined ? [] : [subnet];
}

/** A subnet nobody else has. Source: RFC 4193. */
function uniqueLocal(seed: string): Pool {
  const [a, b, c] = [2, 6, 10].map((at) => seed.slice(at, at + 4));
  const subnet = parseSubnet(`fd${seed.slice(0, 2)}:${a}:${b}:${c}::/64`);
  if (subnet === undefined) throw new ClusterError("Internal", `no seed of a subnet: ${seed}`);
  return {
    subnet: formatSubnet(subnet),
    gateway: gatewayIn(subnet),
    ipRange: "",
    reserved: {},
    isChosen: false,
  };
}

function refused(message: string): ClusterError {
  return new ClusterError("PermissionDenied", message);
}
