import type { ConfigBackend } from "../backend.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import { created, done, ok, type Route } from "../http/router.ts";
import { sendList } from "../http/send-list.ts";
import { readConfig, writeConfig } from "../wire/payload.ts";

const FILTERS = ["id", "label", "name", "names"];

/** `/configs…`. Source: docker-engine-api-v1.51.yaml, tag Config. */
export function configRoutes(backend: ConfigBackend): Route[] {
  return [
    { method: "GET", path: "/configs", handler: (exchange) => list(backend, exchange) },
    {
      method: "POST",
      path: "/configs/create",
      handler: async (exchange) => {
        const { spec, data } = readConfig(await exchange.json());
        const { id } = await backend.createConfig(spec, data);
        return created({ ID: id });
      },
    },
    {
      method: "GET",
      path: "/configs/:ref",
      handler: async (exchange) => ok(writeConfig(await backend.getConfig(exchange.param("ref")))),
    },
    {
      method: "POST",
      path: "/configs/:ref/update",
      handler: async (exchange) => {
        const { spec, data } = readConfig(await exchange.json());
        const [ref, version] = [exchange.param("ref"), exchange.version()];
        await backend.updateConfig({ ref, version, spec, data });
        return done();
      },
    },
    {
      method: "DELETE",
      path: "/configs/:ref",
      handler: async (exchange) => {
        await backend.removeConfig(exchange.param("ref"));
        return done(204);
      },
    },
  ];
}

/** With their data, as Docker lists them; `data=0` leaves it out, which only our own CLI asks for. */
async function list(backend: ConfigBackend, exchange: Exchange) {
  const filters = parseFilters(exchange.query.get("filters"), FILTERS);
  const withData = !exchange.query.has("data") || exchange.flag("data");
  const configs = backend.listConfigs(filters);
  return sendList(
    exchange,
    (async function* () {
      for await (const config of configs) yield writeConfig(config, withData);
    })(),
  );
}
