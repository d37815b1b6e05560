import type { LocalNetworkBackend, LocalNetworkFacts } from "../../api/backends/networks.ts";
import { ClusterError } from "../../core/errors.ts";
import type { ContainerId, MachineContainers } from "../../runtime/container/types.ts";
import { checkEndpointConfig } from "../../runtime/network/plan/addresses.ts";
import { defaultBridgeOptions, unknownOptions } from "../../runtime/network/plan/bridge-options.ts";
import { SHARED_LINK_OPTIONS } from "../../runtime/network/plan/shared-link.ts";
import {
  DEFAULT_NETWORK,
  type EndpointConfig,
  type LocalNetwork,
} from "../../runtime/network/types.ts";
import type { EngineParts } from "../../runtime/types.ts";
import { findBareRun } from "./bare-run.ts";

/** Of a name somebody gave, in a warning. */
const WORD_LENGTH_MAX = 100;

type Parts = Pick<EngineParts, "networks"> & { readonly containers: MachineContainers };

/** This machine's own networks as the API needs them. */
export function newLocalNetworks({ containers, networks }: Parts): LocalNetworkBackend {
  return {
    listNetworks: () =>
      networks.list().map((network) => factsOf(network, { containers, networks })),
    createNetwork: async (creation) => {
      const { id, options, driver } = await networks.create(creation);
      const others =
        driver === "macvlan" || driver === "ipvlan" ? SHARED_LINK_OPTIONS[driver] : undefined;
      const unknown = unknownOptions(options, others).map((name) => name.slice(0, WORD_LENGTH_MAX));
      const warning = `options that change nothing: ${unknown.join(", ")}`;
      return { id, warning: unknown.length > 0 ? warning : "" };
    },
    removeNetwork: async (id) => networks.remove(id),
    connectContainer: async (id, settings) => {
      const network = networks.list().find(({ name }) => name === settings.network);
      if (network !== undefined) checkEndpointConfig(network, settings);
      await containers.connect(id as ContainerId, settings);
    },
    disconnectContainer: async (id, network) => containers.disconnect(id as ContainerId, network),
  };
}

/**
 * Refuses what a container cannot have in networks that are there; those that are not may come before it starts.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function checkKnown(
  networks: Pick<EngineParts["networks"], "list">,
  endpoints: readonly EndpointConfig[],
): void {
  for (const endpoint of endpoints) {
    const network = networks.list().find(({ name }) => name === endpoint.network);
    if (network !== undefined) checkFor(network, endpoint);
  }
}

function checkFor(network: LocalNetwork, endpoint: EndpointConfig): void {
  try {
    checkEndpointConfig(network, endpoint);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "InvalidArgument") throw error;
    const { code, message, details } = error;
    const words = `invalid config for network ${network.name}: ${message}`;
    throw new ClusterError(code, words, { details, cause: error });
  }
}

function factsOf(network: LocalNetwork, { containers, networks }: Parts): LocalNetworkFacts {
  const { driver } = network;
  const isWithout = driver === "host" || driver === "null";
  return {
    ...network,
    options:
      network.name === DEFAULT_NETWORK
        ? defaultBridgeOptions(networks.bridgeLink(network))
        : network.options,
    hasIpv6: network.ipv6 !== undefined || network.config?.ipv6 === true,
    configOnly: network.config !== undefined,
    configFrom: network.configFrom ?? "",
    endpoints:
      isWithout && network.config === undefined
        ? usersOf(driver, containers)
        : endpointsOf(network, { containers, networks }),
  };
}

/** Those who have this machine's network, or none: they are there without an interface of their own. */
function usersOf(
  driver: "host" | "null",
  containers: Parts["containers"],
): LocalNetworkFacts["endpoints"] {
  const kind = driver === "host" ? "host" : "none";
  const nothing = { mac: "", ipv4: "", ipv6: "" };
  return containers.list().flatMap((container) => {
    const run = container.config.network.kind === kind ? findBareRun(container) : undefined;
    if (run === undefined) return [];
    const named = { containerId: container.id, containerName: container.config.name };
    return [{ ...named, id: run.endpointId, ...nothing }];
  });
}

function endpointsOf(
  { id }: LocalNetwork,
  { containers, networks }: Parts,
): LocalNetworkFacts["endpoints"] {
  return networks.attachments().flatMap(({ containerId, endpoints }) =>
    endpoints
      .filter(({ networkId }) => networkId === id)
      .map((endpoint) => ({
        containerId,
        containerName: nameOf(containers, containerId),
        id: endpoint.id,
        mac: endpoint.mac,
        ipv4: `${endpoint.address}/${endpoint.prefixLength}`,
        ipv6:
          endpoint.ipv6 === undefined
            ? ""
            : `${endpoint.ipv6.address}/${endpoint.ipv6.prefixLength}`,
      })),
  );
}

/** Empty while the container is on its way out. */
function nameOf(containers: Parts["containers"], id: string): string {
  try {
    return containers.get(id as ContainerId).config.name;
  } catch (error) {
    if (error instanceof ClusterError && error.code === "NotFound") return "";
    throw error;
  }
}
