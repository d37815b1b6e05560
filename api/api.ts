import type { Log } from "../core/log.ts";
import type { Backends } from "./backend.ts";
import type { Route } from "./http/router.ts";
import { ApiServer } from "./http/server.ts";
import { backupRoutes } from "./routes/backup.ts";
import { buildRoutes } from "./routes/build.ts";
import { commitRoutes } from "./routes/commit.ts";
import { configRoutes } from "./routes/configs.ts";
import { containerFileRoutes } from "./routes/container-files.ts";
import { containerPruneRoute } from "./routes/container-prune.ts";
import { containerStatsRoutes } from "./routes/container-stats.ts";
import { containerRoutes } from "./routes/containers.ts";
import { diskUsageRoutes } from "./routes/disk-usage.ts";
import { eventRoutes } from "./routes/events.ts";
import { execRoutes } from "./routes/execs.ts";
import { imageTransferRoutes } from "./routes/image-transfers.ts";
import { imageRoutes } from "./routes/images.ts";
import { networkRoutes } from "./routes/networks.ts";
import { nodeRoutes } from "./routes/nodes.ts";
import { pluginRoutes } from "./routes/plugins.ts";
import { registryRoutes } from "./routes/registries.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { serviceRoutes } from "./routes/services.ts";
import { swarmRoutes } from "./routes/swarm.ts";
import { systemRoutes } from "./routes/system.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { unsupportedRoutes } from "./routes/unsupported.ts";
import { volumeRoutes } from "./routes/volumes.ts";

/** Docker's HTTP API over the given backends; `listen` opens it on a socket. */
export function newApi(backends: Backends, log: Log): ApiServer {
  const { version } = backends.system.facts();
  return new ApiServer([...servedRoutes(backends), ...unsupportedRoutes()], { version }, log);
}

/** All that is served; docs/docker-compatibility.md lists the same. */
export function servedRoutes(backends: Backends): Route[] {
  const { services, tasks, nodes, configs, secrets } = backends;
  const { cluster, membership, containers, images, system, backups, events } = backends;
  return [
    ...systemRoutes(system, membership),
    ...eventRoutes(events),
    ...diskUsageRoutes(backends),
    ...registryRoutes(backends.registries),
    ...swarmRoutes(cluster, membership),
    ...serviceRoutes(services),
    ...taskRoutes(tasks, services),
    ...nodeRoutes(nodes, membership),
    ...execRoutes(containers, backends.execs),
    ...containerFileRoutes(containers, backends.containerFiles),
    ...containerStatsRoutes(containers, backends.containerUsage),
    ...networkRoutes(backends),
    ...containerRoutes(containers, backends.localNetworks),
    containerPruneRoute(containers, events),
    ...imageRoutes(images),
    ...imageTransferRoutes(images),
    ...commitRoutes(backends),
    ...buildRoutes(backends),
    ...volumeRoutes(backends.volumes, membership),
    ...pluginRoutes(),
    ...backupRoutes(backups),
    ...configRoutes(configs),
    ...secretRoutes(secrets),
  ];
}
