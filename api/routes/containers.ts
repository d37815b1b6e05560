import { ClusterError, errorMessage } from "../../core/errors.ts";
import { systemRandom } from "../../core/system-random.ts";
import type { ContainerBackend, ContainerFacts } from "../backends/containers.ts";
import type { LocalNetworkBackend } from "../backends/networks.ts";
import { checkLimits } from "../containers/check-limits.ts";
import { type ContainerFinder, findContainer } from "../containers/find-container.ts";
import { LIST_FILTERS, selectContainers } from "../containers/list-filter.ts";
import { randomName } from "../containers/random-name.ts";
import { fitLimits } from "../containers/warnings.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import { type Answer, created, ok, type Route } from "../http/router.ts";
import { findExact, findPrefixed } from "../networks/find-network.ts";
import { checkName, readContainerCreate } from "../wire/container/create.ts";
import { writeInspect } from "../wire/container/inspect.ts";
import { writeSummary } from "../wire/container/summary.ts";
import { attachRoutes } from "./container-attach.ts";
import { conflictOfName } from "./container-errors.ts";
import { containerLifeRoutes } from "./container-life.ts";
import { containerOutputRoutes } from "./container-output.ts";

/** As many names are tried before there is no hope. */
const NAMES_TRIED_MAX = 6;
/** Sizes are sums over whole trees. */
const SIZES_AT_ONCE = 4;

/** `/containers…`: what there is, making more, taking away. Source: docker-engine-api-v1.51.yaml, tag Container. */
export function containerRoutes(
  backend: ContainerBackend,
  networks: Pick<LocalNetworkBackend, "listNetworks">,
): Route[] {
  return [
    {
      method: "GET",
      path: "/containers/json",
      handler: async (exchange) => list(backend, exchange),
    },
    {
      method: "POST",
      path: "/containers/create",
      handler: async (exchange) => create(backend, networks, exchange),
    },
    {
      method: "GET",
      path: "/containers/:ref/json",
      handler: async (exchange) => {
        const container = containerOf(backend, exchange);
        const sizes = exchange.flag("size")
          ? await backend.containerSizes(container.id)
          : undefined;
        const { apiMinor } = exchange;
        return ok(writeInspect(container, { sizes, apiMinor }));
      },
    },
    ...containerLifeRoutes(backend),
    ...containerOutputRoutes(backend),
    ...attachRoutes(backend),
  ];
}

/** The container in the path. */
export function containerOf(
  backend: Pick<ContainerBackend, "containerNames" | "getContainer">,
  exchange: Exchange,
): ContainerFacts {
  return findContainer(backend, exchange.param("ref"));
}

async function list(backend: ContainerBackend, { query }: Exchange): Promise<Answer> {
  const limit = Number(query.get("limit") ?? "0");
  if (!Number.isSafeInteger(limit))
    throw new ClusterError("InvalidArgument", `invalid limit '${query.get("limit")}'`);
  const isOn = (name: string) => ["1", "true", "True"].includes(query.get(name) ?? "");
  const filters = parseFilters(query.get("filters"), LIST_FILTERS);
  const found = selectContainers(
    backend.listContainers(),
    { filters, all: isOn("all"), limit: Math.max(limit, 0) },
    (name) => backend.findImageId(name),
  );
  const nowMs = Date.now();
  if (!isOn("size")) return ok(found.map((one) => writeSummary(one, nowMs, undefined)));
  const summaries: unknown[] = [];
  for (let at = 0; at < found.length; at += SIZES_AT_ONCE)
    summaries.push(
      ...(await Promise.all(
        found
          .slice(at, at + SIZES_AT_ONCE)
          .map(async (one) => writeSummary(one, nowMs, await backend.containerSizes(one.id))),
      )),
    );
  return ok(summaries);
}

async function create(
  backend: ContainerBackend,
  networks: Pick<LocalNetworkBackend, "listNetworks">,
  exchange: Exchange,
): Promise<Answer> {
  const body = await exchange.json();
  const asked = (exchange.query.get("name") ?? "").replace(/^\//, "");
  if (asked !== "") checkName(asked);
  const platform = exchange.query.get("platform") ?? "";
  const abilities = backend.abilities();
  const context = {
    resolve: (ref: string) => findNamed(backend, ref).id,
    nameOf: (ref: string) => findNamed(backend, ref).settings.name,
    mountsOf: (ref: string) => findNamed(backend, ref).mounts,
    runtimes: abilities.runtimes,
    hasApparmor: abilities.apparmor,
    nameOfNetwork: (ref: string) => {
      const known = networks.listNetworks();
      return (findExact(known, ref) ?? findPrefixed(known, ref)[0])?.name;
    },
    apiMinor: exchange.apiMinor,
  };
  for (let attempt = 0; ; attempt++) {
    const name = asked === "" ? randomName(systemRandom, attempt) : asked;
    const wanted = readContainerCreate(body, name, context);
    const { settings, networkMode, endpoints, warnings: others } = wanted;
    checkLimits(settings.limits, abilities);
    const { limits, warnings } = fitLimits(settings.limits, abilities);
    try {
      const request = { settings: { ...settings, limits }, networkMode, endpoints, platform };
      const id = await backend.createContainer(request);
      return created({ Id: id, Warnings: [...others, ...warnings] });
    } catch (error) {
      const conflict = conflictOfName(error, name);
      if (conflict === undefined) throw error;
      if (asked !== "" || attempt + 1 >= NAMES_TRIED_MAX) throw conflict;
    }
  }
}

/** One that the body names: a client that reads 404 here would go and pull the image. */
function findNamed(containers: ContainerFinder, ref: string): ContainerFacts {
  try {
    return findContainer(containers, ref);
  } catch (error) {
    throw new ClusterError("InvalidArgument", errorMessage(error), { cause: error });
  }
}
