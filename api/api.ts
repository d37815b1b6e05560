import type { Log } from "../core/log.ts";
import type { Backends } from "./backend.ts";
import { ApiServer } from "./http/server.ts";
import { networkRoutes } from "./routes/networks.ts";
import { nodeRoutes } from "./routes/nodes.ts";
import { serviceRoutes } from "./routes/services.ts";
import { swarmRoutes } from "./routes/swarm.ts";
import { systemRoutes } from "./routes/system.ts";
import { taskRoutes } from "./routes/tasks.ts";

/** Docker's HTTP API over the given backends; `listen` opens it on a socket. */
export function newApi(backends: Backends, log: Log): ApiServer {
  const { services, tasks, nodes, networks, cluster, membership, system } = backends;
  const routes = [
    ...systemRoutes(system, membership),
    ...swarmRoutes(cluster, membership),
    ...serviceRoutes(services),
    ...taskRoutes(tasks, services),
    ...nodeRoutes(nodes, cluster, membership),
    ...networkRoutes(networks),
  ];
  return new ApiServer(routes, { version: system.facts().version }, log);
}
