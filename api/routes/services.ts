import type { ServiceBackend } from "../backend.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import { created, done, ok, type Route } from "../http/router.ts";
import { omitEmpty } from "../wire/common.ts";
import { readServiceSpec, writeService, writeServiceView } from "../wire/service.ts";
import { readLogOptions, sendLogs, taskDetails } from "./logs.ts";

const FILTERS = ["id", "label", "mode", "name", "runtime"];

/** `/services…`. Source: docker-engine-api-v1.51.yaml, tag Service. */
export function serviceRoutes(backend: ServiceBackend): Route[] {
  return [
    {
      method: "GET",
      path: "/services",
      handler: async (exchange) => {
        const views = await backend.listServices(
          parseFilters(exchange.query.get("filters"), FILTERS),
        );
        return ok(views.map((view) => writeServiceView(view, exchange.flag("status"))));
      },
    },
    {
      method: "POST",
      path: "/services/create",
      handler: async (exchange) => {
        const spec = readServiceSpec(await exchange.json(), registryAuth(exchange));
        const { service, warnings } = await backend.createService(spec);
        return created({ ID: service?.id ?? "", ...omitEmpty({ Warnings: warnings }) });
      },
    },
    {
      method: "GET",
      path: "/services/:ref",
      handler: async (exchange) =>
        ok(writeService(await backend.getService(exchange.param("ref")))),
    },
    {
      method: "POST",
      path: "/services/:ref/update",
      handler: async (exchange) => update(backend, exchange),
    },
    {
      method: "DELETE",
      path: "/services/:ref",
      handler: async (exchange) => {
        await backend.removeService(exchange.param("ref"));
        return done();
      },
    },
    {
      method: "GET",
      path: "/services/:ref/logs",
      handler: async (exchange) => {
        const options = readLogOptions(exchange);
        const service = await backend.getService(exchange.param("ref"));
        const messages = backend.serviceLogs({ serviceRef: service.id }, options, exchange.signal);
        return sendLogs(exchange, messages, {
          tty: service.spec?.task?.container?.tty ?? false,
          detailsOf: taskDetails,
          sourceOf: ({ taskId }) => taskId,
        });
      },
    },
  ];
}

async function update(backend: ServiceBackend, exchange: Exchange) {
  const rollback = exchange.query.get("rollback") === "previous";
  const { warnings } = await backend.updateService({
    ref: exchange.param("ref"),
    version: exchange.version(),
    spec: readServiceSpec(await exchange.json(), registryAuth(exchange)),
    rollback,
    authFromPrevious: exchange.query.get("registryAuthFrom") === "previous-spec",
  });
  return ok({ Warnings: warnings.length > 0 ? warnings : null });
}

/** The header's value; the CLI sends `e30=` (an empty object) when it has no credentials. */
function registryAuth(exchange: Exchange): string {
  const auth = exchange.header("x-registry-auth");
  return auth === "e30=" || auth === "e30" ? "" : auth;
}
