import type { ContainerFacts, NetworkFacts } from "../../backends/containers.ts";
import { writePortMap } from "./ports.ts";

/** The network whose address is also told outside of `Networks`. */
const DEFAULT_NETWORK = "bridge";
const SHORT_ID_LENGTH = 12;
/** Older clients find the short id among the aliases. */
const PLAIN_ALIASES_SINCE_MINOR = 45;

/**
 * Docker's NetworkSettings of a container: what it is attached to.
 *
 * @param apiMinor of 1.x: what the client speaks.
 */
export function writeNetworkSettings(
  container: ContainerFacts,
  apiMinor: number,
): Record<string, unknown> {
  const { networks, sandbox } = container;
  const endpoint = networks.find(({ settings }) => settings.network === DEFAULT_NETWORK)?.endpoint;
  return {
    Bridge: "",
    SandboxID: sandbox.id,
    SandboxKey: sandbox.path,
    Ports: writePortMap(container),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: endpoint?.id ?? "",
    ...writeAddresses(endpoint),
    Networks: writeNetworks(container, apiMinor),
  };
}

/** Its networks by name; one that shares another's has none of its own. */
export function writeNetworks(
  { id, networks }: ContainerFacts,
  apiMinor: number,
): Record<string, unknown> {
  const isOld = apiMinor < PLAIN_ALIASES_SINCE_MINOR;
  return Object.fromEntries(
    networks.map((one) => {
      const short = isOld && one.dnsNames.length > 0 ? [id.slice(0, SHORT_ID_LENGTH)] : [];
      const aliases = [...new Set([...one.settings.aliases, ...short])];
      return [one.settings.network, writeEndpoint(one, aliases)];
    }),
  );
}

function writeEndpoint(
  { settings, networkId, dnsNames, endpoint }: NetworkFacts,
  aliases: readonly string[],
): Record<string, unknown> {
  const { ipv4, ipv6, linkLocal = [], links, gatewayPriority, mac } = settings;
  const addresses = writeAddresses(endpoint);
  return {
    IPAMConfig:
      ipv4 + ipv6 === "" && linkLocal.length === 0
        ? null
        : {
            ...(ipv4 === "" ? {} : { IPv4Address: ipv4 }),
            ...(ipv6 === "" ? {} : { IPv6Address: ipv6 }),
            ...(linkLocal.length === 0 ? {} : { LinkLocalIPs: linkLocal }),
          },
    Links: links.length > 0 ? links : null,
    Aliases: aliases.length > 0 ? aliases : null,
    DriverOpts: settings.driverOptions ?? null,
    GwPriority: gatewayPriority,
    NetworkID: networkId,
    EndpointID: endpoint?.id ?? "",
    ...addresses,
    MacAddress: endpoint?.mac ?? mac,
    DNSNames: dnsNames.length > 0 ? dnsNames : null,
  };
}

function writeAddresses(endpoint: NetworkFacts["endpoint"]): Record<string, unknown> {
  return {
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.address ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.ipv6?.gateway ?? "",
    GlobalIPv6Address: endpoint?.ipv6?.address ?? "",
    GlobalIPv6PrefixLen: endpoint?.ipv6?.prefixLength ?? 0,
    MacAddress: endpoint?.mac ?? "",
  };
}
