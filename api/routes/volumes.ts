import { ClusterError } from "../../core/errors.ts";
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
export function volumeRoutes(backend: VolumeBackend): Route[] {
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
