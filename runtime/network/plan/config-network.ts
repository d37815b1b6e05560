import { ClusterError } from "../../../core/errors.ts";
import type { LocalNetwork } from "../types.ts";
import type { NetworkCreation, PlannedNetwork } from "./new-network.ts";
import { readPools } from "./pools.ts";

/** Networks that hold settings which others take over, and are none themselves. Pure. Source: moby, libnetwork/network.go. */

/** What such a network is to be. @throws {ClusterError} PermissionDenied, InvalidArgument. Docker's words. */
export function planConfigNetwork(creation: NetworkCreation): PlannedNetwork {
  const { name, labels, options, internal, attachable, ipv6, pools, configFrom } = creation;
  if (internal || attachable)
    throw refused(
      "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.",
    );
  if (configFrom !== "")
    throw refused("a configuration network cannot depend on another configuration network");
  const asked = readPools(pools, "null");
  return {
    ...{ name, driver: "null", internal, attachable, labels, options, config: { ipv6 } },
    ...{ ipv4: asked[4], ipv6: asked[6] },
  };
}

/**
 * What is asked of a new network, with the settings of the one it takes them from.
 *
 * @throws {ClusterError} PermissionDenied when it has settings of its own, NotFound. Docker's words.
 */
export function withConfig(
  creation: NetworkCreation,
  known: readonly LocalNetwork[],
): NetworkCreation {
  const { configFrom, labels, options, ipv6, pools } = creation;
  if (configFrom === "") return creation;
  const own = Object.keys(labels).length + Object.keys(options).length + pools.length;
  if (own > 0 || ipv6)
    throw refused(
      "user specified configurations are not supported if the network depends on a configuration network",
    );
  const shown = configFrom.slice(0, 100);
  const source = known.find(({ name }) => name === configFrom);
  if (source === undefined)
    throw new ClusterError(
      "NotFound",
      `could not find configuration network "${shown}": network ${shown} not found`,
    );
  if (source.config === undefined) throw refused(`"${shown}" is not a configuration network`);
  return {
    ...creation,
    labels: source.labels,
    options: source.options,
    ipv6: source.config.ipv6,
    pools: [source.ipv4, source.ipv6].filter((pool) => pool !== undefined),
  };
}

/** @throws {ClusterError} PermissionDenied when others took settings from it. Docker's words. */
export function checkNoneDepends(
  { name, config }: LocalNetwork,
  known: readonly LocalNetwork[],
): void {
  if (config !== undefined && known.some(({ configFrom }) => configFrom === name))
    throw refused(`configuration network "${name}" is in use`);
}

function refused(message: string): ClusterError {
  return new ClusterError("PermissionDenied", message);
}
