import type { NetworkBackend } from "../backend.ts";
import { parseFilters } from "../http/filters.ts";
import { created, done, ok, type Route } from "../http/router.ts";
import { readNetworkSpec, writeNetwork } from "../wire/network.ts";

const FILTERS = ["id", "label", "name", "driver", "scope", "type", "dangling"];

/** `/networks…` for networks of the swarm. Source: docker-engine-api-v1.51.yaml, tag Network. */
export function networkRoutes(backend: NetworkBackend): Route[] {
  return [
    {
      method: "GET",
      path: "/networks",
      handler: async ({ query }) => {
        const filters = parseFilters(query.get("filters"), FILTERS);
        return ok((await backend.listNetworks(filters)).map(writeNetwork));
      },
    },
    {
      method: "POST",
      path: "/networks/create",
      handler: async (exchange) => {
        const network = await backend.createNetwork(readNetworkSpec(await exchange.json()));
        return created({ Id: network.id, Warning: "" });
      },
    },
    {
      method: "GET",
      path: "/networks/:ref",
      handler: async (exchange) =>
        ok(writeNetwork(await backend.getNetwork(exchange.param("ref")))),
    },
    {
      method: "DELETE",
      path: "/networks/:ref",
      handler: async (exchange) => {
        await backend.removeNetwork(exchange.param("ref"));
        return done(204);
      },
    },
  ];
}
