import { NodeRole } from "../../proto/gen/objects.ts";
import { nameOf } from "../store/objects.ts";
import type { SwarmState } from "./recovered-swarm.ts";

/** Services named at most; the rest are counted. */
const NAMES_MAX = 20;

/** What is in a state, for a person to see before it is gone on with. */
export interface SwarmSummary {
  readonly clusterId: string;
  readonly index: number;
  readonly term: number;
  /** Who took part, with where each was. */
  readonly managers: readonly {
    readonly nodeId: string;
    readonly name: string;
    readonly addr: string;
  }[];
  readonly workers: number;
  readonly services: readonly string[];
  readonly networks: readonly string[];
  readonly tasks: number;
}

/** Counts and names; nothing secret. */
export function summarize({ store, members, index, term }: SwarmState): SwarmSummary {
  const view = store.view();
  const nodes = [...view.nodes.values()];
  const names = (kind: "service" | "network") =>
    [...(kind === "service" ? view.services.values() : view.networks.values())].map(
      (object) => object.spec.name,
    );
  return {
    clusterId: view.cluster?.id ?? "",
    index,
    term,
    managers: members.members.map(({ nodeId, addr }) => {
      const node = view.nodes.get(nodeId);
      const name = node === undefined ? nodeId : nameOf({ $case: "node", value: node });
      return { nodeId, name, addr };
    }),
    workers: nodes.filter(({ role }) => role === NodeRole.WORKER).length,
    services: names("service"),
    networks: names("network"),
    tasks: [...view.tasks.values()].length,
  };
}

/** One line each, as `muster cluster recover` shows it. */
export function formatSummary(summary: SwarmSummary): string[] {
  const { clusterId, index, term, managers, workers, services, networks, tasks } = summary;
  return [
    `cluster   ${clusterId}`,
    `log       index ${index}, term ${term}`,
    ...managers.map(({ nodeId, name, addr }) => `manager   ${name} (${nodeId}) at ${addr}`),
    `workers   ${workers}`,
    `services  ${listed(services)}`,
    `networks  ${listed(networks)}`,
    `tasks     ${tasks}`,
  ];
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).join(", ");
  const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : "";
  return names.length === 0 ? "0" : `${names.length}: ${shown}${more}`;
}
