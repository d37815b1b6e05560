import type { DiskUsageBackend, VolumeUsage } from "../../api/backends/disk-usage.ts";
import { contentBytes } from "../../runtime/linux/content-bytes.ts";
import type { Volumes } from "../../runtime/volume/types.ts";

/** What `/system/df` counts. */
export function newDiskUsage(volumes: Pick<Volumes, "list">): DiskUsageBackend {
  return {
    async volumeUsage() {
      const usage: VolumeUsage[] = [];
      for (const { name, path, labels, createdAtMs } of volumes.list())
        usage.push({
          name,
          mountpoint: path,
          labels,
          createdAtMs,
          sizeBytes: await contentBytes(path),
        });
      return usage;
    },
  };
}
