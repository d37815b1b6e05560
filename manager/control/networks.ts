import { ClusterError } from "../../core/errors.ts";
import { type NetworkId, newId } from "../../core/ids.ts";
import { createChange } from "../store/changes.ts";
import { getNetwork, servicesUsing } from "../store/find.ts";
import type { StoredNetwork } from "../store/objects.ts";
import { publishesIngress } from "../store/ports.ts";
import { removeNetworkChanges } from "../store/service-changes.ts";
import type { View } from "../store/tables.ts";
import type { Control } from "./control.ts";
import { filterNetworks } from "./filters.ts";
import { freshView, type LeaderParts } from "./leader-parts.ts";
import { checkNetworkSpec } from "./validate/cluster-specs.ts";

type NetworkControl = Pick<
  Control,
  "createNetwork" | "getNetwork" | "listNetworks" | "removeNetwork"
>;

/** Networks of the swarm, as the leader serves them. */
export function networkControl(parts: LeaderParts): NetworkControl {
  return {
    createNetwork: async (wanted) => {
      const spec = checkNetworkSpec(wanted);
      const id = newId<NetworkId>(parts.random);
      const network = { id, meta: undefined, spec, vni: 0, ipam: [] };
      await parts.proposer.propose([createChange("network", network)]);
      return getNetwork(parts.view(), id);
    },
    getNetwork: async (ref) => getNetwork(await freshView(parts), ref),
    listNetworks: async (filters) => filterNetworks(await freshView(parts), filters),
    removeNetwork: async (ref) => {
      const changes = await parts.planner.plan((view) => {
        const network = getNetwork(view, ref);
        checkUnused(view, network);
        return removeNetworkChanges(network);
      });
      await parts.proposer.propose(changes);
    },
  };
}

/** @throws {ClusterError} `FailedPrecondition` naming the service that uses it. */
export function checkUnused(view: View, network: StoredNetwork): void {
  const { name, ingress } = network.spec;
  const refuse = (message: string): never => {
    throw new ClusterError("FailedPrecondition", message, { details: { networkId: network.id } });
  };
  if (ingress) {
    for (const service of view.services.values()) {
      if (!publishesIngress(service.spec.endpoint?.ports ?? [])) continue;
      refuse(
        `ingress network cannot be removed because service ${service.spec.name} depends on it`,
      );
    }
  }
  const [user] = servicesUsing(view, network.id);
  if (user !== undefined) refuse(`network ${name} is in use by service ${user.spec.name}`);
}
