import { formatIp, parseIp } from "../../../core/ip.ts";
import type { EndpointSettings } from "../../backends/networks.ts";
import { JsonReader } from "../../http/json-reader.ts";
import { invalid } from "./invalid.ts";

/** Docker's EndpointSettings: what a container asks of a network. */

const NAMES_MAX = 256;
const NETWORKS_MAX = 64;
const ALIAS_LENGTH_MAX = 255;
const LINK_LOCAL_MAX = 16;
const MAC = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;
/** The lowest bit of the first byte says that it is a group's. */
const MULTICAST_BIT = 1;

/** @throws {ClusterError} InvalidArgument for what is wrong or not supported. */
export function readEndpoint(json: JsonReader, network: string): EndpointSettings {
  const ipam = json.object("IPAMConfig");
  const linkLocal = ipam.strings("LinkLocalIPs").map(readLinkLocal);
  if (linkLocal.length > LINK_LOCAL_MAX)
    throw invalid(`more than ${LINK_LOCAL_MAX} link-local addresses`);
  const driverOptions = json.stringMap("DriverOpts");
  const optionCount = Object.keys(driverOptions).length;
  if (optionCount > NAMES_MAX)
    throw invalid(`more than ${NAMES_MAX} options of a network's driver`);
  const aliases = json.strings("Aliases");
  const links = json.strings("Links").map(readLink);
  if (aliases.length > NAMES_MAX || links.length > NAMES_MAX)
    throw invalid(`more than ${NAMES_MAX} aliases or links`);
  for (const alias of aliases)
    if (alias === "" || alias.length > ALIAS_LENGTH_MAX || /\s/.test(alias))
      throw invalid(`invalid network alias: ${JSON.stringify(alias.slice(0, 100))}`);
  return {
    network,
    aliases: [...new Set(aliases)],
    links,
    ipv4: ipam.string("IPv4Address"),
    ipv6: ipam.string("IPv6Address"),
    ...(linkLocal.length > 0 ? { linkLocal } : {}),
    mac: readMac(json.string("MacAddress")),
    gatewayPriority: json.integer("GwPriority"),
    ...(optionCount > 0 ? { driverOptions } : {}),
  };
}

/** `name` or `name:alias`, always with the alias. @throws {ClusterError} InvalidArgument. Docker's words. */
export function readLink(link: string): string {
  const [name = "", alias = name.replace(/^\//, ""), ...more] = link.split(":");
  if (name === "" || alias === "" || more.length > 0 || /\s/.test(link))
    throw invalid(`bad format for links: ${link.slice(0, 100)}`);
  return `${name.replace(/^\//, "")}:${alias}`;
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
function readLinkLocal(text: string): string {
  const ip = parseIp(text);
  if (ip !== undefined && ip.number !== 0n) return formatIp(ip);
  throw invalid(`invalid link-local IP address: ${text.slice(0, 100)}`);
}

/** In small letters; empty: any. @throws {ClusterError} InvalidArgument. */
export function readMac(text: string): string {
  if (text === "") return "";
  const isGroup = (Number.parseInt(text.slice(0, 2), 16) & MULTICAST_BIT) !== 0;
  if (!MAC.test(text) || isGroup) throw invalid(`invalid MAC address: ${text.slice(0, 100)}`);
  return text.toLowerCase().replaceAll("-", ":");
}

/** Networks by name or id with what is asked of each. @throws {ClusterError} InvalidArgument. */
export function readEndpoints(networking: JsonReader): EndpointSettings[] {
  const all = networking.raw("EndpointsConfig");
  if (all === undefined) return [];
  if (typeof all !== "object" || Array.isArray(all))
    throw invalid("invalid request: NetworkingConfig.EndpointsConfig must be an object");
  const entries = Object.entries(all as object);
  if (entries.length > NETWORKS_MAX) throw invalid(`more than ${NETWORKS_MAX} networks`);
  return entries.map(([name, value]) =>
    readEndpoint(new JsonReader(value, `NetworkingConfig.EndpointsConfig.${name}`), name),
  );
}
