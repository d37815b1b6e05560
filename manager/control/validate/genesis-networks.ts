import { formatBlock, parseBlock } from "../../allocator/ipv4.ts";
import { refuse } from "./refuse.ts";

const DATA_PATH_PORT_MIN = 1_024;
const DATA_PATH_PORT_MAX = 49_151;
/** A network needs addresses for the node, the service and a task. */
const SUBNET_SIZE_MAX = 29;
const POOLS_MAX = 64;

/** What is chosen once, when a swarm is made. */
export interface GenesisNetworks {
  /** "10.0.0.0/8": where overlay networks get their subnets. */
  readonly defaultAddressPools: readonly string[];
  /** Prefix length of each of these subnets. */
  readonly subnetSize: number;
  /** UDP port overlay networks run over. */
  readonly dataPathPort: number;
}

/**
 * Whether a swarm can have these for its life.
 *
 * @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be. Source: moby, daemon/cluster/swarm.go.
 */
export function checkGenesisNetworks(options: GenesisNetworks): void {
  const { defaultAddressPools, subnetSize, dataPathPort } = options;
  if (dataPathPort < DATA_PATH_PORT_MIN || dataPathPort > DATA_PATH_PORT_MAX) {
    refuse(
      `data path port ${dataPathPort} must be from ${DATA_PATH_PORT_MIN} to ${DATA_PATH_PORT_MAX}`,
    );
  }
  if (subnetSize > SUBNET_SIZE_MAX) {
    refuse(`subnet size ${subnetSize} is too large: at most ${SUBNET_SIZE_MAX}`);
  }
  if (defaultAddressPools.length > POOLS_MAX)
    refuse(`at most ${POOLS_MAX} address pools can be set`);
  for (const pool of defaultAddressPools) {
    const block = parseBlock(pool);
    if (block === undefined) refuse(`invalid address pool '${pool}': write it like 10.0.0.0/8`);
    if (block.prefixLength <= subnetSize) continue;
    refuse(`address pool ${formatBlock(block)} is smaller than one subnet of size ${subnetSize}`);
  }
}
