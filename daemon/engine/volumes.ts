import { randomBytes } from "node:crypto";
import type { VolumeBackend, VolumeFacts } from "../../api/backends/volumes.ts";
import { ANONYMOUS_LABEL, type Volume, type Volumes } from "../../runtime/volume/types.ts";
import { orConflict } from "./conflict.ts";

const NAME_BYTES = 32;

/** This machine's volumes as the API needs them. */
export function newVolumes(volumes: Volumes): VolumeBackend {
  const factsOf = (volume: Volume) => toVolumeFacts(volumes, volume);
  return {
    listVolumes: () => volumes.list().map(factsOf),
    getVolume: (name) => factsOf(volumes.get(name)),
    async createVolume({ name, labels, options }) {
      if (name !== "") return factsOf(await volumes.create({ name, labels, options }));
      const marked = { ...labels, [ANONYMOUS_LABEL]: "" };
      const unique = randomBytes(NAME_BYTES).toString("hex");
      return factsOf(await volumes.create({ name: unique, labels: marked, options }));
    },
    removeVolume: (name) => orConflict(volumes.remove(name)),
    pruneVolumes: (fits) => volumes.prune((volume) => fits(factsOf(volume))),
  };
}

/** A volume and how many have it. */
export function toVolumeFacts(volumes: Pick<Volumes, "usersOf">, volume: Volume): VolumeFacts {
  const { name, path, labels, options, createdAtMs } = volume;
  const users = volumes.usersOf(name).length;
  return { name, mountpoint: path, labels, options, createdAtMs, users };
}
