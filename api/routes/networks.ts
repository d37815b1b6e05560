import { ClusterError } from "../../core/errors.ts";
import type { Network } from "../../proto/gen/objects.ts";
import type { Backends } from "../backend.ts";
import type { ContainerFacts } from "../backends/containers.ts";
import type { LocalNetworkFacts } from "../backends/networks.ts";
import { findContainer } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import { hasLabels, readTruth } from "../http/filter-values.ts";
import { type Filters, parseFilters } from "../http/filters.ts";
import { JsonReader } from "../http/json-reader.ts";
import { parseMomentMs } from "../http/moment.ts";
import { type Answer, created, done, ok, type Route } from "../http/router.ts";
import { findByPrefix, findExact } from "../networks/find-network.ts";
import { readEndpoint } from "../wire/container/endpoints.ts";
import {
  filterLocalNetworks,
  isDangling,
  NETWORK_FILTERS,
  NETWORK_PRUNE_FILTERS,
  readLocalNetwork,
  writeLocalNetwork,
} from "../wire/local-network.ts";
import { readNetworkSpec, writeNetwork } from "../wire/network.ts";

type Parts = Pick<Backends, "networks" | "localNetworks" | "membership" | "containers" | "events">;
type Found =
  | { readonly scope: "local"; readonly network: LocalNetworkFacts }
  | { readonly scope: "swarm"; readonly network: Network };

/** `/networks…`: those of this machine and, on a manager, those of the swarm. Source: docker-engine-api-v1.51.yaml, tag Network. */
export function networkRoutes(parts: Parts): Route[] {
  return [
    { method: "GET", path: "/networks", handler: async (exchange) => list(parts, exchange) },
    {
      method: "POST",
      path: "/networks/create",
      handler: async (exchange) => create(parts, exchange),
    },
    {
      method: "POST",
      path: "/networks/prune",
      handler: async (exchange) => prune(parts, exchange),
    },
    {
      method: "GET",
      path: "/networks/:ref",
      handler: async (exchange) => {
        const scope = exchange.query.get("scope") ?? "";
        const found = await find(parts, exchange.param("ref"), scope);
        if (found.scope === "swarm") return ok(writeNetwork(found.network));
        return ok(writeLocalNetwork(found.network, { detail: true }));
      },
    },
    {
      method: "DELETE",
      path: "/networks/:ref",
      handler: async (exchange) => {
        const { scope, network } = await find(parts, exchange.param("ref"), "");
        if (scope === "local") await parts.localNetworks.removeNetwork(network.id);
        else await parts.networks.removeNetwork(network.id);
        return done(204);
      },
    },
    {
      method: "POST",
      path: "/networks/:ref/connect",
      handler: async (exchange) => connect(parts, exchange),
    },
    {
      method: "POST",
      path: "/networks/:ref/disconnect",
      handler: async (exchange) => disconnect(parts, exchange),
    },
  ];
}

async function list(parts: Parts, { query }: Exchange): Promise<Answer> {
  const filters = parseFilters(query.get("filters"), NETWORK_FILTERS);
  const local = filterLocalNetworks(parts.localNetworks.listNetworks(), filters);
  const ofSwarm = await listSwarm(parts, filters);
  return ok([
    ...local.map((network) => writeLocalNetwork(network, { detail: false })),
    ...ofSwarm.map(writeNetwork),
  ]);
}

/** A swarm without a leader must not hide this machine's own. */
async function listSwarm(parts: Parts, filters: Filters): Promise<Network[]> {
  const { dangling: _, ...others } = filters;
  // Who uses one of them is not known here: none is said to be unused.
  if (!isManager(parts) || readTruth(filters, "dangling") === true) return [];
  try {
    return await parts.networks.listNetworks(others);
  } catch (error) {
    if (error instanceof ClusterError && error.code === "Unavailable") return [];
    throw error;
  }
}

async function create(parts: Parts, exchange: Exchange): Promise<Answer> {
  const body = await exchange.json();
  const json = new JsonReader(body, "Network");
  const isSwarms =
    json.string("Driver") === "overlay" ||
    json.string("Scope") === "swarm" ||
    json.boolean("Ingress");
  if (isSwarms) {
    const spec = readNetworkSpec(body);
    if (findExact(parts.localNetworks.listNetworks(), spec.name) !== undefined)
      throw nameTaken(spec.name);
    const network = await parts.networks.createNetwork(spec);
    return created({ Id: network.id, Warning: "" });
  }
  const creation = readLocalNetwork(body);
  const others = await listSwarm(parts, {});
  if (others.some(({ spec }) => spec?.name === creation.name)) throw nameTaken(creation.name);
  const { id, warning } = await parts.localNetworks.createNetwork(creation);
  return created({ Id: id, Warning: warning });
}

/** Whole names and ids before the beginnings of ids, this machine's before the swarm's. */
async function find(parts: Parts, ref: string, scope: string): Promise<Found> {
  const all = scope === "swarm" ? [] : parts.localNetworks.listNetworks();
  const exact = findExact(all, ref);
  if (exact !== undefined) return { scope: "local", network: exact };
  if (isManager(parts) && scope !== "local") {
    try {
      return { scope: "swarm", network: await parts.networks.getNetwork(ref) };
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code !== "NotFound") throw error;
    }
  }
  return { scope: "local", network: findByPrefix(all, ref) };
}

async function prune(parts: Parts, { query }: Exchange): Promise<Answer> {
  const filters = parseFilters(query.get("filters"), NETWORK_PRUNE_FILTERS);
  const untilMs = readUntil(filters.until ?? [], Date.now());
  const isMeant = (labels: Readonly<Record<string, string>>, createdAtMs: number) =>
    createdAtMs < untilMs &&
    hasLabels(labels, filters.label) &&
    !(filters["label!"] ?? []).some((label) => hasLabels(labels, [label]));
  const removed: string[] = [];
  for (const network of parts.localNetworks.listNetworks()) {
    if (!isDangling(network) || !isMeant(network.labels, network.createdAtMs)) continue;
    const { id, name } = network;
    if (await isRemoved(parts.localNetworks.removeNetwork(id))) removed.push(name);
  }
  for (const { id, spec, meta } of await listSwarm(parts, {})) {
    if (spec === undefined || spec.ingress) continue;
    if (!isMeant(spec.labels, meta?.createdAtMs ?? 0)) continue;
    if (await isRemoved(parts.networks.removeNetwork(id))) removed.push(spec.name);
  }
  parts.events.pruned("network", 0);
  return ok({ NetworksDeleted: removed.length > 0 ? removed : null });
}

/** Somebody uses it, or has removed it meanwhile: it is none of the unused ones. */
async function isRemoved(removal: Promise<void>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    const kept = ["FailedPrecondition", "PermissionDenied", "NotFound"];
    if (error instanceof ClusterError && kept.includes(error.code)) return false;
    throw error;
  }
}

async function connect(parts: Parts, exchange: Exchange): Promise<Answer> {
  const json = new JsonReader(await exchange.json(), "Connect");
  const network = await findLocal(parts, exchange.param("ref"));
  const container = findContainer(parts.containers, json.string("Container"));
  const settings = readEndpoint(json.object("EndpointConfig"), network.name);
  await parts.localNetworks.connectContainer(container.id, settings);
  return done(200);
}

async function disconnect(parts: Parts, exchange: Exchange): Promise<Answer> {
  const json = new JsonReader(await exchange.json(), "Disconnect");
  const force = json.boolean("Force");
  const container = findContainer(parts.containers, json.string("Container"));
  const name = await nameToLeave(parts, exchange.param("ref"), { container, force });
  await parts.localNetworks.disconnectContainer(container.id, name);
  return done(200);
}

/** A network that is gone keeps a container from starting until it is taken out of it. Docker's rule. */
async function nameToLeave(
  parts: Parts,
  ref: string,
  { container, force }: { readonly container: ContainerFacts; readonly force: boolean },
): Promise<string> {
  try {
    return (await findLocal(parts, ref)).name;
  } catch (error) {
    const isGone = error instanceof ClusterError && error.code === "NotFound";
    const isAsked = container.networks.some(({ settings }) => settings.network === ref);
    if (isGone && isAsked && (force || container.state !== "running")) return ref;
    throw error;
  }
}

async function findLocal(parts: Parts, ref: string): Promise<LocalNetworkFacts> {
  const found = await find(parts, ref, "");
  if (found.scope === "local") return found.network;
  throw new ClusterError(
    "Unimplemented",
    `network ${found.network.spec?.name} is the swarm's: single containers cannot be attached to it in this version of muster`,
  );
}

function isManager({ membership }: Parts): boolean {
  const { state, isManager: yes } = membership.swarmInfo();
  return state === "active" && yes;
}

function readUntil(values: readonly string[], nowMs: number): number {
  const [text, ...others] = values;
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (others.length === 0) return parseMomentMs(text, nowMs);
  throw new ClusterError("InvalidArgument", "more than one until filter specified");
}

function nameTaken(name: string): ClusterError {
  return new ClusterError("AlreadyExists", `network with name ${name} already exists`);
}
