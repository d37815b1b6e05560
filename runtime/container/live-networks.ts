import type { LocalNetworks } from "../network/local-networks.ts";
import { parsePorts, wantedBindings } from "../network/ports/port-choice.ts";
import type { PublishedPorts } from "../network/ports/published-ports.ts";
import { isSameWay } from "../network/ports/way-in.ts";
import { addressesOf, type EndpointConfig } from "../network/types.ts";
import { namesOf } from "./hosts.ts";
import { withEndpoint, withoutEndpoint, withRenamedLinks } from "./network-change.ts";
import { addToHosts, removeFromHosts, useNameServer } from "./network-files.ts";
import type { ContainerPaths } from "./paths.ts";
import type { ContainerRecord } from "./record.ts";
import type { NetworkMode } from "./types.ts";

/** A container whose networks change. */
export interface Changed {
  readonly record: ContainerRecord;
  readonly isRunning: boolean;
  readonly paths: ContainerPaths;
  /** Writes down what it is from now on. */
  commit(record: ContainerRecord): Promise<void>;
}

type Networks = Pick<LocalNetworks, "connect" | "disconnect" | "findAttachment" | "wayInto">;
/** What of this machine is in it. */
interface Machine {
  readonly networks: Networks;
  readonly ports: Pick<PublishedPorts, "publish" | "unpublish" | "publishedPorts">;
}

/** What it is to have, and how one that runs gets it. */
export interface NetworkChange {
  /** @throws {ClusterError} as `withEndpoint` and `withoutEndpoint`. */
  readonly plan: (container: Changed) => NetworkMode;
  /** @throws {ClusterError} what the networks refuse. */
  readonly make: (container: Changed, networks: Networks) => void;
}

const SHORT_ID_LENGTH = 12;

/** One more network. */
export function connecting(endpoint: EndpointConfig): NetworkChange {
  return {
    plan: ({ record, isRunning }) => withEndpoint(record, endpoint, isRunning),
    make: ({ record, paths }, networks) => {
      const { id, config } = record;
      const hadNames = networks.findAttachment(id)?.dnsPorts !== undefined;
      const { endpoints, dnsPorts } = networks.connect(id, endpoint);
      if (!hadNames && dnsPorts !== undefined) useNameServer(record, paths);
      const hostname = config.hostname || id.slice(0, SHORT_ID_LENGTH);
      addToHosts(
        paths,
        namesOf(hostname, config.domainname),
        endpoints.slice(-1).flatMap(addressesOf),
      );
    },
  };
}

/** One less, by its name. */
export function disconnecting(network: string): NetworkChange {
  return {
    plan: ({ record }) => withoutEndpoint(record, network),
    make: ({ record, paths }, networks) => {
      const gone = networks.disconnect(record.id, network);
      removeFromHosts(paths, gone === undefined ? [] : addressesOf(gone));
    },
  };
}

/** One that it may be linked to is called otherwise. */
export function followingName(oldName: string, name: string): NetworkChange {
  return {
    plan: ({ record }) =>
      withRenamedLinks(record.config.network, oldName, name) ?? record.config.network,
    make: () => {},
  };
}

/** What is wanted is written down first: the next start makes it so, whatever comes between. */
export async function carryOut(
  change: NetworkChange,
  container: Changed,
  { networks, ports }: Machine,
): Promise<void> {
  const { record } = container;
  await container.commit({
    ...record,
    config: { ...record.config, network: change.plan(container) },
  });
  if (!container.isRunning) return;
  const before = networks.wayInto(record.id);
  try {
    change.make(container, networks);
  } catch (error) {
    await container.commit(record);
    throw error;
  }
  if (!isSameWay(networks.wayInto(record.id), before)) leadPorts(record, { networks, ports });
}

/** Its ports lead to the interface that is the default gateway now, and stay the same ports. */
function leadPorts(
  { id, config, imageConfig }: ContainerRecord,
  { networks, ports }: Machine,
): void {
  const published = ports.publishedPorts(id).map((one) => ({
    ...one,
    hostPortFirst: one.hostPort,
    hostPortLast: one.hostPort,
  }));
  const wanted = wantedBindings(config.ports, parsePorts(imageConfig.exposedPorts));
  ports.unpublish(id);
  const bindings = published.length > 0 ? published : wanted;
  ports.publish({ id, name: config.name }, networks.wayInto(id), bindings);
}
