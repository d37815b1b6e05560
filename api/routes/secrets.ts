import type { SecretBackend } from "../backend.ts";
import { parseFilters } from "../http/filters.ts";
import { created, done, ok, type Route } from "../http/router.ts";
import { readSecret, writeSecret } from "../wire/payload.ts";

const FILTERS = ["id", "label", "name", "names"];

/** `/secrets…`. Source: docker-engine-api-v1.51.yaml, tag Secret. */
export function secretRoutes(backend: SecretBackend): Route[] {
  return [
    {
      method: "GET",
      path: "/secrets",
      handler: async ({ query }) => {
        const filters = parseFilters(query.get("filters"), FILTERS);
        return ok((await backend.listSecrets(filters)).map(writeSecret));
      },
    },
    {
      method: "POST",
      path: "/secrets/create",
      handler: async (exchange) => {
        const { spec, data } = readSecret(await exchange.json());
        const { id } = await backend.createSecret(spec, data);
        return created({ ID: id });
      },
    },
    {
      method: "GET",
      path: "/secrets/:ref",
      handler: async (exchange) => ok(writeSecret(await backend.getSecret(exchange.param("ref")))),
    },
    {
      method: "POST",
      path: "/secrets/:ref/update",
      handler: async (exchange) => {
        const { spec, data } = readSecret(await exchange.json());
        const [ref, version] = [exchange.param("ref"), exchange.version()];
        await backend.updateSecret({ ref, version, spec, data });
        return done();
      },
    },
    {
      method: "DELETE",
      path: "/secrets/:ref",
      handler: async (exchange) => {
        await backend.removeSecret(exchange.param("ref"));
        return done(204);
      },
    },
  ];
}
