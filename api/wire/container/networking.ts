import { errorMessage } from "../../../core/errors.ts";
import type { EndpointSettings } from "../../backends/networks.ts";
import type { JsonReader } from "../../http/json-reader.ts";
import { readEndpoints, readLink, readMac } from "./endpoints.ts";
import type { ResolveContainer } from "./host-config.ts";
import { invalid } from "./invalid.ts";

/** What reading a new container's networks needs of what there is. */
export interface NetworkingContext {
  readonly resolve: ResolveContainer;
  /** The name of a container by any of its names. @throws {ClusterError} InvalidArgument when there is none. */
  readonly nameOf: (ref: string) => string;
  /** The name of a network by any of its names; undefined when there is none. */
  readonly nameOfNetwork: (ref: string) => string | undefined;
  /** Of 1.x: what the client speaks. */
  readonly apiMinor: number;
}

/** Which networks a new container is in. */
export interface Networking {
  /** `host`, `none`, `container:<id>`, or the network it is made for. */
  readonly networkMode: string;
  /** None unless it has networks of its own. */
  readonly endpoints: readonly EndpointSettings[];
}

const DEFAULT_NETWORK = "bridge";
/** Older clients are told when they ask for several networks. */
const SEVERAL_SINCE_MINOR = 44;

/** @throws {ClusterError} InvalidArgument for what is wrong or not supported. Docker's words. */
export function readNetworking(
  config: JsonReader,
  host: JsonReader,
  context: NetworkingContext,
): Networking {
  const mode = readNetworkMode(config, host, context);
  const canonical = (name: string) =>
    name === "default" ? DEFAULT_NETWORK : (context.nameOfNetwork(name) ?? name);
  const asked = readEndpoints(config.object("NetworkingConfig")).map((one) => ({
    ...one,
    network: canonical(one.network),
  }));
  const names = asked.map(({ network }) => network);
  if (names.length > 1 && context.apiMinor < SEVERAL_SINCE_MINOR)
    throw invalid(`Container cannot be connected to network endpoints: ${names.join(", ")}`);
  if (new Set(names).size < names.length)
    throw invalid(`invalid NetworkingConfig: a network is named twice among ${names.join(", ")}`);
  const asLinks = host.strings("Links").map(readLink);
  const links = asLinks.map((link) => toNamed(link, canonical(mode), context));
  const mac = readMac(config.string("MacAddress"));
  if (mode === "host" || mode === "none" || mode.startsWith("container:")) {
    if (mode.startsWith("container:")) checkBorrowed(config, host);
    if (links.length > 0) throw invalid(noLinks(mode));
    const hasMac = mac !== "" || asked.some((one) => one.mac !== "");
    if (hasMac && mode !== "none")
      throw invalid("conflicting options: mac-address and the network mode");
    checkAlone(mode, names);
    return { networkMode: mode, endpoints: [] };
  }
  return { networkMode: mode, endpoints: arrange(mode, canonical(mode), { asked, links, mac }) };
}

/** Its own network first: it is the first interface, and what is said of the container as a whole is said of it. */
function arrange(
  mode: string,
  primary: string,
  said: {
    readonly asked: readonly EndpointSettings[];
    readonly links: readonly string[];
    readonly mac: string;
  },
): EndpointSettings[] {
  const { asked, links, mac } = said;
  // Who says nothing of the mode and names networks wants those.
  const isUnsaid = mode === DEFAULT_NETWORK && asked.length > 0;
  const own = asked.find(({ network }) => network === primary) ?? (isUnsaid ? asked[0] : undefined);
  const first = own ?? { ...NOTHING, network: primary };
  if (mac !== "" && first.mac !== "" && mac !== first.mac)
    throw invalid(
      "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
    );
  return [
    { ...first, mac: first.mac || mac, links: [...new Set([...first.links, ...links])] },
    ...asked.filter((one) => one !== own),
  ];
}

const NOTHING = { aliases: [], links: [], ipv4: "", ipv6: "", mac: "", gatewayPriority: 0 };

function readNetworkMode(
  config: JsonReader,
  host: JsonReader,
  { resolve }: NetworkingContext,
): string {
  const mode = host.string("NetworkMode");
  if (config.boolean("NetworkDisabled")) return "none";
  if (/^container:./s.test(mode)) return `container:${resolve(mode.slice("container:".length))}`;
  if (mode === "container" || mode === "container:")
    throw invalid("Container network mode must be in format 'container:<name|id>'");
  return mode === "" || mode === "default" ? DEFAULT_NETWORK : mode;
}

/** Source: moby, runconfig/errors.go. */
function noLinks(mode: string): string {
  const [kind] = mode.split(":", 1);
  const what = kind === "container" ? "container type network" : `${kind} type networking`;
  return `conflicting options: ${what} can't be used with links. This would result in undefined behavior`;
}

/** @throws {ClusterError} InvalidArgument. Docker's words. Source: moby, runconfig/errors.go. */
function checkAlone(mode: string, names: readonly string[]): void {
  const others = names.filter((name) => name !== mode);
  if (others.length === 0) return;
  if (mode === "none")
    throw invalid(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  throw invalid(
    "container sharing network namespace with another container or host cannot be connected to any other network",
  );
}

/** Who has the network of another has its names. @throws {ClusterError} InvalidArgument. Docker's words. */
function checkBorrowed(config: JsonReader, host: JsonReader): void {
  const refuse = (what: string) => invalid(`conflicting options: ${what} and the network mode`);
  if (config.string("Hostname") !== "") throw refuse("hostname");
  if (host.strings("Dns").length > 0) throw refuse("dns");
  if (host.strings("ExtraHosts").length > 0) throw refuse("custom host-to-IP mapping");
}

/**
 * A link with the container's name. In other networks than the default one it leads to whoever is called so by then.
 *
 * @throws {ClusterError} InvalidArgument when there is no such container. Docker's words.
 */
function toNamed(link: string, network: string, { nameOf }: NetworkingContext): string {
  const [ref = "", alias = ""] = link.split(":");
  try {
    const name = nameOf(ref);
    return network === DEFAULT_NETWORK ? `${name}:${alias}` : link;
  } catch (error) {
    throw invalid(`could not get container for ${ref}: ${errorMessage(error)}`);
  }
}
