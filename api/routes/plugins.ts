import { ClusterError } from "../../core/errors.ts";
import { readTruth } from "../http/filter-values.ts";
import { parseFilters } from "../http/filters.ts";
import { type Method, ok, type Route } from "../http/router.ts";

const PLUGIN_FILTERS = ["capability", "enabled"];

/** What is done to a plugin that is installed. */
const VERBS: readonly [Method, string][] = [
  ["GET", "/json"],
  ["POST", "/enable"],
  ["POST", "/disable"],
  ["POST", "/upgrade"],
  ["POST", "/push"],
  ["POST", "/set"],
  ["DELETE", ""],
];

/** What would bring one in. */
const INSTALLS: readonly [Method, string][] = [
  ["GET", "/plugins/privileges"],
  ["POST", "/plugins/pull"],
  ["POST", "/plugins/create"],
];

/**
 * `/plugins…`: there are none, and none can be installed. Clients that look find an empty list, as on a Docker machine without
 * any. Source: docker-engine-api-v1.51.yaml, tag Plugin.
 */
export function pluginRoutes(): Route[] {
  return [
    {
      method: "GET",
      path: "/plugins",
      handler: ({ query }) => {
        readTruth(parseFilters(query.get("filters"), PLUGIN_FILTERS), "enabled");
        return ok([]);
      },
    },
    ...INSTALLS.map(([method, path]): Route => ({ method, path, handler: refuseInstall })),
    ...VERBS.map(
      ([method, verb]): Route => ({
        method,
        path: `/plugins/*${verb}`,
        handler: (exchange) => {
          const name = exchange.param("*").slice(0, 256);
          throw new ClusterError("NotFound", `plugin "${name}" not found`);
        },
      }),
    ),
  ];
}

function refuseInstall(): never {
  throw new ClusterError(
    "Unimplemented",
    "managed plugins are not supported by muster: volumes have the driver local (with type, o and device: binds, tmpfs, nfs), " +
      "networks bridge, macvlan, ipvlan and overlay, logs json-file, local and journald, and devices are given by CDI (--device vendor/class=name)",
  );
}
