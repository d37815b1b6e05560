import { ClusterError } from "../../core/errors.ts";
import type { AddressPool, LocalNetworkCreation, LocalNetworkFacts } from "../backends/networks.ts";
import { hasLabels, readTruth, toPattern } from "../http/filter-values.ts";
import type { Filters } from "../http/filters.ts";
import { JsonReader } from "../http/json-reader.ts";
import { omitEmpty, wireTime } from "./common.ts";

/** Docker's networks of one machine. Source: docker-engine-api-v1.51.yaml, definition Network. */

const PREDEFINED = ["bridge", "host", "none"];
const TYPES = ["custom", "builtin"];
const ENTRIES_MAX = 1024;

/** Reads the body of `POST /networks/create`. @throws {ClusterError} InvalidArgument for what is wrong or not supported. */
export function readLocalNetwork(body: unknown): LocalNetworkCreation {
  const json = new JsonReader(body, "Network");
  json.refuse("Ingress");
  if (json.optionalBoolean("EnableIPv4") === false)
    throw new ClusterError("InvalidArgument", "IPv4 cannot be disabled in a network of muster");
  const ipam = json.object("IPAM");
  const ipamDriver = ipam.string("Driver");
  if (!["", "default"].includes(ipamDriver))
    throw new ClusterError("NotFound", `plugin "${ipamDriver.slice(0, 100)}" not found`);
  ipam.refuse("Options");
  const labels = json.stringMap("Labels");
  const options = json.stringMap("Options");
  for (const [what, map] of Object.entries({ labels, options }))
    if (Object.keys(map).length > ENTRIES_MAX)
      throw new ClusterError("InvalidArgument", `more than ${ENTRIES_MAX} ${what}`);
  return {
    name: json.string("Name"),
    driver: json.string("Driver"),
    internal: json.boolean("Internal"),
    attachable: json.boolean("Attachable"),
    ipv6: json.boolean("EnableIPv6"),
    pools: ipam.objects("Config", (config) => ({
      subnet: config.string("Subnet"),
      gateway: config.string("Gateway"),
      ipRange: config.string("IPRange"),
      reserved: config.stringMap("AuxiliaryAddresses"),
    })),
    labels,
    options,
    configOnly: json.boolean("ConfigOnly"),
    configFrom: json.object("ConfigFrom").string("Network"),
  };
}

/** @param detail whether its containers are listed, as `/networks/{id}` does. */
export function writeLocalNetwork(
  network: LocalNetworkFacts,
  { detail }: { readonly detail: boolean },
): Record<string, unknown> {
  const pools = [network.ipv4, network.ipv6].filter((pool) => pool !== undefined);
  const endpoints = detail ? network.endpoints : [];
  return {
    Name: network.name,
    Id: network.id,
    Created: wireTime(network.createdAtMs),
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.hasIpv6,
    IPAM: {
      Driver: "default",
      Options: PREDEFINED.includes(network.name) ? null : {},
      Config: pools.map(writePool),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom },
    ConfigOnly: network.configOnly,
    Containers: Object.fromEntries(
      endpoints.map((endpoint) => [
        endpoint.containerId,
        {
          Name: endpoint.containerName,
          EndpointID: endpoint.id,
          MacAddress: endpoint.mac,
          IPv4Address: endpoint.ipv4,
          IPv6Address: endpoint.ipv6,
        },
      ]),
    ),
    Options: network.options,
    Labels: network.labels,
  };
}

function writePool({ subnet, ipRange, gateway, reserved }: AddressPool): Record<string, unknown> {
  const fields = omitEmpty({ Subnet: subnet, IPRange: ipRange, Gateway: gateway });
  const isPlain = Object.keys(reserved).length === 0;
  return isPlain ? fields : { ...fields, AuxiliaryAddresses: reserved };
}

/** What `GET /networks` takes. */
export const NETWORK_FILTERS = ["id", "label", "name", "driver", "scope", "type", "dangling"];
/** What `POST /networks/prune` takes. */
export const NETWORK_PRUNE_FILTERS = ["until", "label", "label!"];

/** @throws {ClusterError} InvalidArgument for values a filter cannot have. */
export function filterLocalNetworks(
  networks: readonly LocalNetworkFacts[],
  filters: Filters,
): LocalNetworkFacts[] {
  for (const type of filters.type ?? [])
    if (!TYPES.includes(type))
      throw new ClusterError("InvalidArgument", `invalid filter: 'type'='${type.slice(0, 100)}'`);
  const dangling = readTruth(filters, "dangling");
  return networks.filter(
    (network) =>
      matchesAny(filters.id, (value) => toPattern(value).test(network.id)) &&
      matchesAny(filters.name, (value) => toPattern(value).test(network.name)) &&
      matchesAny(filters.driver, (value) => value === network.driver) &&
      matchesAny(filters.scope, (value) => value === "local") &&
      matchesAny(filters.type, (value) => value === typeOf(network)) &&
      hasLabels(network.labels, filters.label) &&
      (dangling === undefined || dangling === isDangling(network)),
  );
}

function matchesAny(values: readonly string[] = [], matches: (value: string) => boolean): boolean {
  return values.length === 0 || values.some(matches);
}

function typeOf({ name }: LocalNetworkFacts): string {
  return PREDEFINED.includes(name) ? "builtin" : "custom";
}

/** Nobody is in it, and it could be removed; nobody can be in one that holds settings. */
export function isDangling(network: LocalNetworkFacts): boolean {
  return typeOf(network) === "custom" && network.endpoints.length === 0 && !network.configOnly;
}
