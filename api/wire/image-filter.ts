import { ClusterError } from "../../core/errors.ts";
import { compileGlob } from "../../core/glob.ts";
import type { ImageFacts } from "../backends/images.ts";
import { hasLabels, readTruth } from "../http/filter-values.ts";
import type { Filters } from "../http/filters.ts";
import { parseMomentMs } from "../http/moment.ts";

export const LIST_FILTERS = ["dangling", "label", "before", "since", "reference", "until"];
export const PRUNE_FILTERS = ["dangling", "label", "label!", "until"];

/**
 * The images of `all` that filters let through, with those of their names that `reference` lets through.
 *
 * @param find the image of a name or id; throws NotFound.
 * @throws {ClusterError} `InvalidArgument`; what `find` throws.
 * Source: moby, daemon/images/images.go.
 */
export function filterImages(
  all: readonly ImageFacts[],
  filters: Filters,
  find: (ref: string) => ImageFacts,
  nowMs: number,
): readonly ImageFacts[] {
  const { before, since, until, reference, label } = filters;
  const beforeMs = smallest([
    ...(before ?? []).map((ref) => find(ref).createdAtMs),
    ...(until ?? []).map((text) => parseMomentMs(text, nowMs)),
  ]);
  const sinceMs = greatest((since ?? []).map((ref) => find(ref).createdAtMs));
  const dangling = readTruth(filters, "dangling");
  return all
    .filter(({ createdAtMs }) => beforeMs === undefined || createdAtMs < beforeMs)
    .filter(({ createdAtMs }) => sinceMs === undefined || createdAtMs > sinceMs)
    .filter(({ labels }) => hasLabels(labels, label))
    .flatMap((image) => (reference === undefined ? [image] : withNames(image, reference)))
    .filter((image) => dangling === undefined || isDangling(image, dangling));
}

/** What a prune takes of the images no container uses; by default those without a tag. */
export function prunes(filters: Filters, nowMs: number): (image: ImageFacts) => boolean {
  const danglingOnly = readTruth(filters, "dangling") ?? true;
  if ((filters.until ?? []).length > 1)
    throw new ClusterError("InvalidArgument", "more than one until filter specified");
  const untilMs = smallest((filters.until ?? []).map((text) => parseMomentMs(text, nowMs)));
  return (image) =>
    !isStep(image) &&
    (!danglingOnly || image.repoTags.length === 0) &&
    (untilMs === undefined || image.createdAtMs < untilMs) &&
    hasLabels(image.labels, filters.label) &&
    !(filters["label!"] ?? []).some((label) => hasLabels(image.labels, [label]));
}

/** Of no interest by itself: others were built from it, and it has no name. */
export function isStep({ repoTags, repoDigests, hasChildren }: ImageFacts): boolean {
  return hasChildren && repoTags.length + repoDigests.length === 0;
}

/** Without tags; with `false`, not without any name. */
function isDangling({ repoTags, repoDigests }: ImageFacts, wanted: boolean): boolean {
  return wanted ? repoTags.length === 0 : repoTags.length + repoDigests.length > 0;
}

/** The image with its names that fit one of the patterns, whole or without tag; none, when no name does. */
function withNames(image: ImageFacts, patterns: readonly string[]): readonly ImageFacts[] {
  const globs = patterns.map(compileGlob);
  const fits = (name: string) =>
    globs.some((matches) => matches(name) || matches(withoutTag(name)));
  const repoTags = image.repoTags.filter(fits);
  const repoDigests = image.repoDigests.filter(fits);
  return repoTags.length + repoDigests.length > 0 ? [{ ...image, repoTags, repoDigests }] : [];
}

function withoutTag(name: string): string {
  return name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

function smallest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values);
}

function greatest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}
