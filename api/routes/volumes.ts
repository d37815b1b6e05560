import { ClusterError } from "../../core/errors.ts";
import type { MembershipBackend } from "../backend.ts";
import type { VolumeBackend } from "../backends/volumes.ts";
import { parseFilters } from "../http/filters.ts";
import { created, done, ok, type Route } from "../http/router.ts";
import {
  filterVolumes,
  prunesVolumes,
  readVolumeCreate,
  VOLUME_FILTERS,
  VOLUME_PRUNE_FILTERS,
  writeVolume,
} from "../wire/volume.ts";

/** `/volumes…`. Source: docker-engine-api-v1.51.yaml, tag Volume. */
export function volumeRoutes(
  backend: VolumeBackend,
  membership: Pick<MembershipBackend, "swarmInfo">,
): Route[] {
  return [
    {
      method: "GET",
      path: "/volumes",
      handler: ({ query }) => {
        const filters = parseFilters(query.get("filters"), VOLUME_FILTERS);
        const found = filterVolumes(backend.listVolumes(), filters);
        return ok({ Volumes: found.map((volume) => writeVolume(volume)), Warnings: null });
      },
    },
    {
      method: "POST",
      path: "/volumes/create",
      handler: async (exchange) => {
        const request = readVolumeCreate(await exchange.json());
        return created(writeVolume(await backend.createVolume(request)));
      },
    },
    {
      method: "POST",
      path: "/volumes/prune",
      handler: async ({ query, apiMinor }) => {
        const filters = parseFilters(query.get("filters"), VOLUME_PRUNE_FILTERS);
        const { names, reclaimedBytes } = await backend.pruneVolumes(
          prunesVolumes(filters, apiMinor),
        );
        return ok({ VolumesDeleted: names, SpaceReclaimed: reclaimedBytes });
      },
    },
    {
      method: "GET",
      path: "/volumes/:name",
      handler: (exchange) => ok(writeVolume(backend.getVolume(exchange.param("name")))),
    },
    {
      method: "PUT",
      path: "/volumes/:name",
      handler: async (exchange) => {
        if (!membership.swarmInfo().isManager) throw noSwarm();
        exchange.version();
        await exchange.json();
        throw notClusterVolume(backend, exchange.param("name"));
      },
    },
    {
      method: "DELETE",
      path: "/volumes/:name",
      handler: async (exchange) => {
        await removeVolume(backend, exchange.param("name"), exchange.flag("force"));
        return done(204);
      },
    },
  ];
}

/** By force one that is not there is as good as removed; who uses it keeps it all the same, as in Docker. */
async function removeVolume(backend: VolumeBackend, name: string, force: boolean): Promise<void> {
  try {
    await backend.removeVolume(name);
  } catch (error) {
    const isMissing = error instanceof ClusterError && error.code === "NotFound";
    if (!isMissing || !force) throw error;
  }
}

/** Docker's words. Source: moby, server/router/volume/volume_routes.go, putVolumesUpdate. */
function noSwarm(): ClusterError {
  return new ClusterError(
    "Unavailable",
    "volume update only valid for cluster volumes, but swarm is unavailable",
  );
}

/** @throws {ClusterError} NotFound when there is none of that name at all. */
function notClusterVolume(backend: VolumeBackend, name: string): ClusterError {
  const volume = backend.getVolume(name);
  return new ClusterError(
    "InvalidArgument",
    `cannot update volume ${volume.name}: volume update only valid for cluster volumes, and its driver is local: remove it and create it with other options`,
  );
}
