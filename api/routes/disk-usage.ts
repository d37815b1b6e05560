import { ClusterError } from "../../core/errors.ts";
import type { ContainerBackend } from "../backends/containers.ts";
import type { DiskUsageBackend } from "../backends/disk-usage.ts";
import type { ImageBackend } from "../backends/images.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Answer, ok, type Route } from "../http/router.ts";
import { writeSummary } from "../wire/container/summary.ts";
import { layersSize, sharedSizes, writeImageSummary } from "../wire/image.ts";
import { isStep } from "../wire/image-filter.ts";
import { writeVolume } from "../wire/volume.ts";

const TYPES = ["container", "image", "volume", "build-cache"];

interface Backends {
  readonly images: Pick<ImageBackend, "listImages">;
  readonly containers: Pick<ContainerBackend, "listContainers" | "containerSizes">;
  readonly diskUsage: DiskUsageBackend;
}

/** `/system/df`. Source: docker-engine-api-v1.51.yaml, tag System. */
export function diskUsageRoutes(backends: Backends): Route[] {
  return [{ method: "GET", path: "/system/df", handler: (exchange) => answer(backends, exchange) }];
}

async function answer(backends: Backends, exchange: Exchange): Promise<Answer> {
  const asked = exchange.query.getAll("type");
  const unknown = asked.find((type) => !TYPES.includes(type));
  if (unknown !== undefined)
    throw new ClusterError("InvalidArgument", `unknown object type: ${unknown}`);
  const wants = (type: string) => asked.length === 0 || asked.includes(type);
  const { images, containers, diskUsage } = backends;
  return ok({
    ...(wants("image") ? imageUsage(images, exchange.apiMinor) : {}),
    ...(wants("container") ? { Containers: await containerUsage(containers) } : {}),
    ...(wants("volume")
      ? { Volumes: (await diskUsage.volumeUsage()).map((one) => writeVolume(one, one)) }
      : {}),
    ...(wants("build-cache") ? { BuildCache: [] } : {}),
  });
}

function imageUsage(backend: Backends["images"], apiMinor: number): Record<string, unknown> {
  const all = backend.listImages();
  // Layers are counted of all, images only as `docker images` shows them.
  const images = all.filter((image) => !isStep(image));
  const shared = sharedSizes(images);
  return {
    LayersSize: layersSize(all),
    Images: images.map((image) =>
      writeImageSummary(image, {
        apiMinor,
        sharedBytes: shared.get(image.id),
        withContainers: true,
      }),
    ),
  };
}

/** One after the other: counting is work for the disk. */
async function containerUsage(backend: Backends["containers"]): Promise<unknown[]> {
  const nowMs = Date.now();
  const summaries: unknown[] = [];
  const newestFirst = backend.listContainers().toSorted((a, b) => b.createdAtMs - a.createdAtMs);
  for (const container of newestFirst)
    summaries.push(writeSummary(container, nowMs, await backend.containerSizes(container.id)));
  return summaries;
}
