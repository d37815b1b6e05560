import type { DiskUsageBackend, VolumeUsage } from "../../api/backends/disk-usage.ts";
import { contentBytes } from "../../runtime/linux/content-bytes.ts";
import type { Volumes } from "../../runtime/volume/types.ts";
import { toVolumeFacts } from "./volumes.ts";

/** What `/system/df` counts; not what is on another machine's disk, or mounted from elsewhere on this one. */
export function newDiskUsage(volumes: Pick<Volumes, "list" | "usersOf">): DiskUsageBackend {
  return {
    async volumeUsage() {
      const usage: VolumeUsage[] = [];
      for (const volume of volumes.list()) {
        if (Object.keys(volume.options).length > 0) continue;
        const sizeBytes = await contentBytes(volume.path);
        usage.push({ ...toVolumeFacts(volumes, volume), sizeBytes });
      }
      return usage;
    },
  };
}
