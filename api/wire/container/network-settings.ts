import type { ContainerFacts } from "../../backends/containers.ts";

/** Docker's NetworkSettings of a container: what it is attached to. */
export function writeNetworkSettings(container: ContainerFacts): Record<string, unknown> {
  return {
    Bridge: "",
    SandboxID: "",
    SandboxKey: "",
    Ports: {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: "",
    Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: "",
    IPPrefixLen: 0,
    IPv6Gateway: "",
    MacAddress: "",
    Networks: writeNetworks(container),
  };
}

/** Its networks by name; one that shares another's has none of its own. */
export function writeNetworks({ networkMode }: ContainerFacts): Record<string, unknown> {
  if (networkMode !== "host" && networkMode !== "none") return {};
  return {
    [networkMode]: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      MacAddress: "",
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: "",
      EndpointID: "",
      Gateway: "",
      IPAddress: "",
      IPPrefixLen: 0,
      IPv6Gateway: "",
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    },
  };
}
