import { ClusterError } from "../../core/errors.ts";
import { withRenamed } from "../network/plan/links.ts";
import { isPredefined } from "../network/plan/new-network.ts";
import type { EndpointConfig } from "../network/types.ts";
import type { ContainerRecord } from "./record.ts";
import type { NetworkMode } from "./types.ts";

type LocalMode = Extract<NetworkMode, { readonly kind: "local" }>;

/**
 * The networks of a container with one more; of one that does not run another wish takes the place of an earlier one.
 *
 * @throws {ClusterError} InvalidArgument, PermissionDenied. Docker's words. Source: moby, daemon/container_operations.go.
 */
export function withEndpoint(
  record: Pick<ContainerRecord, "id" | "config">,
  endpoint: EndpointConfig,
  isRunning: boolean,
): LocalMode {
  const { network } = endpoint;
  const mode = requireOwn(record.config.network, network);
  const has = mode.endpoints.some((one) => one.network === network);
  if (has && isRunning)
    throw new ClusterError(
      "PermissionDenied",
      `container ${record.id} is already attached to network ${network}`,
    );
  const others = mode.endpoints.filter((one) => one.network !== network);
  // The network it was made for gives it its first interface, from the next start on.
  const endpoints = network === mode.network ? [endpoint, ...others] : [...others, endpoint];
  return { ...mode, endpoints };
}

/** The same with one less. @throws {ClusterError} PermissionDenied when it is not in it. Docker's words. */
export function withoutEndpoint(
  record: Pick<ContainerRecord, "id" | "config">,
  network: string,
): LocalMode {
  const mode = requireOwn(record.config.network, network);
  const endpoints = mode.endpoints.filter((one) => one.network !== network);
  if (endpoints.length < mode.endpoints.length) return { ...mode, endpoints };
  throw new ClusterError(
    "PermissionDenied",
    `container ${record.id} is not connected to the network ${network}`,
  );
}

/**
 * The networks of a container when one has another name: links of the default network lead to a container, those of others
 * to whoever has the name.
 *
 * @returns undefined when no link of it leads there.
 */
export function withRenamedLinks(
  mode: NetworkMode,
  oldName: string,
  name: string,
): LocalMode | undefined {
  if (mode.kind !== "local") return undefined;
  const endpoints = mode.endpoints.map((one) => {
    const links = isPredefined(one.network) ? withRenamed(one.links, oldName, name) : one.links;
    return links === one.links ? one : { ...one, links };
  });
  const isSame = endpoints.every((one, index) => one === mode.endpoints[index]);
  return isSame ? undefined : { ...mode, endpoints };
}

function requireOwn(mode: NetworkMode, network: string): LocalMode {
  if (mode.kind === "host" || network === "host")
    throw invalid(
      "container cannot be disconnected from host network or connected to host network",
    );
  if (mode.kind === "none" || network === "none")
    throw invalid(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  if (mode.kind === "local") return mode;
  throw invalid(
    "container sharing network namespace with another container or host cannot be connected to any other network",
  );
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
