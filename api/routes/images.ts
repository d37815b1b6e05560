import { ClusterError } from "../../core/errors.ts";
import type { ImageBackend, ImageFacts } from "../backends/images.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import { type Answer, created, ok, type Route } from "../http/router.ts";
import { sharedSizes, writeHistory, writeImage, writeImageSummary } from "../wire/image.ts";
import { filterImages, isStep, LIST_FILTERS, PRUNE_FILTERS, prunes } from "../wire/image-filter.ts";
import { withTag } from "../wire/image-name.ts";
import { isPlatform, platformMismatch, readPlatformJson } from "../wire/platform.ts";

/** Of one image: more than a Dockerfile has steps. */
const PARENTS_MAX = 10_000;

/** `/images…`: what is on this machine. Source: docker-engine-api-v1.51.yaml, tag Image. */
export function imageRoutes(backend: ImageBackend): Route[] {
  return [
    { method: "GET", path: "/images/json", handler: (exchange) => list(backend, exchange) },
    {
      method: "GET",
      path: "/images/*/json",
      handler: (exchange) => ok(writeImage(asked(backend, exchange), exchange.apiMinor)),
    },
    {
      method: "GET",
      path: "/images/*/history",
      handler: (exchange) => history(backend, exchange),
    },
    { method: "POST", path: "/images/*/tag", handler: (exchange) => tag(backend, exchange) },
    { method: "DELETE", path: "/images/*", handler: (exchange) => remove(backend, exchange) },
    { method: "POST", path: "/images/prune", handler: (exchange) => prune(backend, exchange) },
  ];
}

function list(backend: ImageBackend, exchange: Exchange): Answer {
  const { query, apiMinor } = exchange;
  const filters = parseFilters(query.get("filters"), LIST_FILTERS);
  const all = backend.listImages().filter(isShown(exchange.flag("all")));
  const find = (ref: string) => backend.getImage(ref);
  const shared = exchange.flag("shared-size") ? sharedSizes(all) : undefined;
  const images = filterImages(all, filters, find, Date.now());
  // The newest first; of equal ones the one that came last.
  const sorted = images.toReversed().toSorted((a, b) => b.createdAtMs - a.createdAtMs);
  return ok(
    sorted.map((image) =>
      writeImageSummary(image, { apiMinor, sharedBytes: shared?.get(image.id) }),
    ),
  );
}

/** Steps of builds are of interest to few. */
function isShown(withSteps: boolean): (image: ImageFacts) => boolean {
  return (image) => withSteps || !isStep(image);
}

/** The image a path names. @throws {ClusterError} `NotFound`, also when it is for another platform than the query's. */
function asked(backend: ImageBackend, exchange: Exchange): ImageFacts {
  const ref = exchange.param("*");
  return requirePlatform(backend.getImage(ref), ref, exchange.query.get("platform") ?? "");
}

/** @param platform JSON; empty: any will do. @throws {ClusterError} `NotFound`, in Docker's words. */
export function requirePlatform(image: ImageFacts, ref: string, platform: string): ImageFacts {
  const wanted = readPlatformJson(platform);
  if (wanted === undefined || isPlatform(image.platform, wanted)) return image;
  throw new ClusterError("NotFound", platformMismatch(ref, image.platform, wanted));
}

function history(backend: ImageBackend, exchange: Exchange): Answer {
  const image = asked(backend, exchange);
  const parents: ImageFacts[] = [];
  for (let at = image; at.parentId !== "" && parents.length < PARENTS_MAX; ) {
    at = backend.getImage(at.parentId);
    parents.push(at);
  }
  return ok(writeHistory(image, parents));
}

async function tag(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const { query } = exchange;
  const name = withTag(query.get("repo") ?? "", query.get("tag") ?? "");
  await backend.tagImage(exchange.param("*"), name);
  return created(undefined);
}

async function remove(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const options = { force: exchange.flag("force"), keepParents: exchange.flag("noprune") };
  const { untagged, deleted } = await backend.removeImage(exchange.param("*"), options);
  return ok(writeRemoved(untagged, deleted));
}

async function prune(backend: ImageBackend, { query }: Exchange): Promise<Answer> {
  const filters = parseFilters(query.get("filters"), PRUNE_FILTERS);
  const result = await backend.pruneImages(prunes(filters, Date.now()));
  const removed = writeRemoved(result.untagged, result.deleted);
  const ImagesDeleted = removed.length > 0 ? removed : null;
  return ok({ ImagesDeleted, SpaceReclaimed: result.reclaimedBytes });
}

function writeRemoved(
  untagged: readonly string[],
  deleted: readonly string[],
): readonly Record<string, string>[] {
  return [
    ...untagged.map((name) => ({ Untagged: name })),
    ...deleted.map((id) => ({ Deleted: id })),
  ];
}
