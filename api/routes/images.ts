import type { ImageBackend } from "../backend.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import { type Answer, ok, type Route } from "../http/router.ts";

/** `/images…`: what is on this machine, and a way to bring images without a registry. Source: docker-engine-api-v1.51.yaml. */
export function imageRoutes(backend: ImageBackend): Route[] {
  return [
    {
      method: "GET",
      path: "/images/json",
      handler: ({ query }) => {
        parseFilters(query.get("filters"), []);
        return ok(backend.listImages().map(writeImage));
      },
    },
    {
      method: "POST",
      path: "/images/load",
      handler: async (exchange) => load(backend, exchange),
    },
  ];
}

/** One JSON line for each image, as `docker load` prints them. Nothing is sent before the archive is whole and stored. */
async function load(backend: ImageBackend, { request, response }: Exchange): Promise<Answer> {
  const names = await backend.loadImages(request);
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(
    names.map((name) => `${JSON.stringify({ stream: `Loaded image: ${name}\n` })}\n`).join(""),
  );
  return undefined;
}

function writeImage(
  image: ReturnType<ImageBackend["listImages"]>[number],
): Record<string, unknown> {
  return {
    Id: image.id,
    ParentId: "",
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Created: Math.floor(image.createdAtMs / 1000),
    Size: image.sizeBytes,
    SharedSize: -1,
    Labels: image.labels,
    Containers: -1,
  };
}
