import type { ContainerFacts, NetworkFacts } from "../../backends/containers.ts";
import { writePortMap } from "./ports.ts";

/** The network whose address is also told outside of `Networks`. */
const DEFAULT_NETWORK = "bridge";

/** Docker's NetworkSettings of a container: what it is attached to. */
export function writeNetworkSettings(container: ContainerFacts): Record<string, unknown> {
  const { network } = container;
  const endpoint = network?.name === DEFAULT_NETWORK ? network.endpoint : undefined;
  const namespacePath = network?.endpoint?.namespacePath ?? "";
  return {
    Bridge: "",
    SandboxID: namespacePath.slice(namespacePath.lastIndexOf("/") + 1),
    SandboxKey: namespacePath,
    Ports: writePortMap(container),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: endpoint?.id ?? "",
    Gateway: endpoint?.gateway ?? "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: endpoint?.address ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: "",
    MacAddress: endpoint?.mac ?? "",
    Networks: writeNetworks(container),
  };
}

/** Its networks by name; one that shares another's has none of its own. */
export function writeNetworks({ networkMode, network }: ContainerFacts): Record<string, unknown> {
  if (network !== undefined) return { [network.name]: writeEndpoint(network.endpoint) };
  if (networkMode !== "host" && networkMode !== "none") return {};
  return { [networkMode]: writeEndpoint(undefined) };
}

function writeEndpoint(endpoint: NetworkFacts["endpoint"]): Record<string, unknown> {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: endpoint?.mac ?? "",
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: endpoint?.networkId ?? "",
    EndpointID: endpoint?.id ?? "",
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.address ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}
