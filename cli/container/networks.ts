import { ClusterError } from "../../core/errors.ts";
import { csvFields } from "../flags/csv.ts";
import { splitPair } from "../flags/parse.ts";
import { append, type ContainerBody, child, type Json } from "./body.ts";
import { parseInteger } from "./values.ts";

/** The flags that together say which networks a container is in, and how. */
export interface NetworkOptions {
  readonly network?: readonly string[];
  readonly networkAlias?: readonly string[];
  readonly link?: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly linkLocalIp?: readonly string[];
  readonly macAddress?: string;
}

/** One network as `--network` says it. */
interface Attachment {
  readonly target: string;
  readonly aliases: string[];
  readonly links: string[];
  readonly linkLocalIps: string[];
  readonly driverOptions: Record<string, string>;
  ip?: string;
  ip6?: string;
  macAddress?: string;
  gatewayPriority?: number;
}

/**
 * Adds the networks to a body. What has a flag of its own is about the first one; it may not be said twice.
 *
 * @throws {ClusterError} `InvalidArgument` with Docker's words. Source: docker/cli, container/opts.go, parseNetworkOpts.
 */
export function applyNetworks(body: ContainerBody, options: NetworkOptions): void {
  const named = (options.network ?? []).map(parseAttachment);
  const attachments = named.length > 0 ? named : [newAttachment("default")];
  const [first] = attachments;
  if (first === undefined) return;
  addOwnFlags(first, options);
  const endpoints: Json = Object.create(null) as Json;
  for (const attachment of attachments) {
    if (endpoints[attachment.target] !== undefined)
      throw invalid(`network "${attachment.target}" is specified multiple times`);
    endpoints[attachment.target] = endpointOf(attachment);
  }
  const defined = attachments.filter(({ target }) => isUserDefined(target));
  if (defined.length > 0 && defined.length < attachments.length)
    throw invalid(
      "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
    );
  if (!isUserDefined(first.target))
    for (const link of options.link ?? []) append(child(body, "HostConfig"), "Links", link);
  if (named.length > 0) child(body, "HostConfig").NetworkMode = first.target;
  if (named.length > 1 || Object.keys(endpoints[first.target] as Json).length > 0)
    body.NetworkingConfig = { EndpointsConfig: endpoints };
}

/** `name`, or `name=net,alias=a,ip=…,ip6=…,mac-address=…,link-local-ip=…,driver-opt=k=v,gw-priority=1`. */
function parseAttachment(text: string): Attachment {
  const isLong = /^\w[\w-]*=/.test(text);
  if (!isLong) return newAttachment(text);
  const fields = csvFields(text).map((field) => {
    if (!field.includes("=")) throw invalid(`invalid network '${text}': invalid field ${field}`);
    const [key, value] = splitPair(field);
    return [key.trim().toLowerCase(), value.trim()] as const;
  });
  const target = fields.findLast(([key]) => key === "name")?.[1] ?? "";
  if (target === "") throw invalid(`invalid network '${text}': name=NETWORK is missing`);
  const attachment = newAttachment(target);
  for (const [key, value] of fields) applyField(attachment, key, value, text);
  return attachment;
}

function applyField(attachment: Attachment, key: string, value: string, text: string): void {
  switch (key) {
    case "name":
      return;
    case "alias":
      attachment.aliases.push(value);
      return;
    case "ip":
      attachment.ip = value;
      return;
    case "ip6":
      attachment.ip6 = value;
      return;
    case "mac-address":
      attachment.macAddress = value;
      return;
    case "link-local-ip":
      attachment.linkLocalIps.push(value);
      return;
    case "driver-opt": {
      const [name, option] = splitPair(value);
      attachment.driverOptions[name] = option;
      return;
    }
    case "gw-priority":
      attachment.gatewayPriority = parseInteger("gw-priority")(value);
      return;
    default:
      throw invalid(`invalid network '${text}': invalid field key ${key}`);
  }
}

function addOwnFlags(first: Attachment, options: NetworkOptions): void {
  const { networkAlias = [], link = [], linkLocalIp = [], ip, ip6, macAddress } = options;
  const twice = (flag: string, what: string) =>
    invalid(`conflicting options: cannot specify both --${flag} and per-network ${what}`);
  if (networkAlias.length > 0 && first.aliases.length > 0) throw twice("network-alias", "alias");
  if (linkLocalIp.length > 0 && first.linkLocalIps.length > 0)
    throw twice("link-local-ip", "link-local IP addresses");
  if (ip !== undefined && first.ip !== undefined) throw twice("ip", "IPv4 address");
  if (ip6 !== undefined && first.ip6 !== undefined) throw twice("ip6", "IPv6 address");
  if (macAddress !== undefined && first.macAddress !== undefined)
    throw twice("mac-address", "MAC address");
  first.aliases.push(...networkAlias);
  first.linkLocalIps.push(...linkLocalIp);
  if (isUserDefined(first.target)) first.links.push(...link);
  if (ip !== undefined) first.ip = ip;
  if (ip6 !== undefined) first.ip6 = ip6;
  if (macAddress !== undefined) first.macAddress = macAddress;
}

function endpointOf(attachment: Attachment): Json {
  const { target, aliases, links, linkLocalIps, driverOptions } = attachment;
  if (aliases.length > 0 && !isUserDefined(target))
    throw invalid("network-scoped aliases are only supported for user-defined networks");
  const ipam = {
    ...(attachment.ip === undefined ? {} : { IPv4Address: attachment.ip }),
    ...(attachment.ip6 === undefined ? {} : { IPv6Address: attachment.ip6 }),
    ...(linkLocalIps.length === 0 ? {} : { LinkLocalIPs: linkLocalIps }),
  };
  const { macAddress, gatewayPriority } = attachment;
  return {
    ...(aliases.length === 0 ? {} : { Aliases: aliases }),
    ...(links.length === 0 ? {} : { Links: links }),
    ...(Object.keys(ipam).length === 0 ? {} : { IPAMConfig: ipam }),
    ...(Object.keys(driverOptions).length === 0 ? {} : { DriverOpts: driverOptions }),
    ...(macAddress === undefined ? {} : { MacAddress: macAddress }),
    ...(gatewayPriority === undefined ? {} : { GwPriority: gatewayPriority }),
  };
}

function newAttachment(target: string): Attachment {
  return { target, aliases: [], links: [], linkLocalIps: [], driverOptions: {} };
}

function isUserDefined(target: string): boolean {
  return (
    !["default", "bridge", "host", "none"].includes(target) && !target.startsWith("container:")
  );
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
