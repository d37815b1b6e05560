import { ClusterError } from "../../core/errors.ts";
import type { VolumeFacts, VolumeRequest } from "../backends/volumes.ts";
import { hasLabels, readTruth, toPattern } from "../http/filter-values.ts";
import type { Filters } from "../http/filters.ts";
import { JsonReader } from "../http/json-reader.ts";
import { wireTime } from "./common.ts";

/** Docker's mark on volumes that were made for one container. */
const ANONYMOUS_LABEL = "com.docker.volume.anonymous";
/** Since this API version a prune leaves volumes alone that somebody has named. Source: moby, volume/service/service.go. */
const ANONYMOUS_ONLY_SINCE = 42;
const PATTERN_LENGTH_MAX = 1024;

export const VOLUME_FILTERS = ["dangling", "driver", "label", "name"];
export const VOLUME_PRUNE_FILTERS = ["all", "label", "label!"];

/**
 * Reads Docker's VolumeCreateOptions.
 *
 * @throws {ClusterError} InvalidArgument; NotFound for a driver there is none of, in Docker's words.
 */
export function readVolumeCreate(body: unknown): VolumeRequest {
  const json = new JsonReader(body, "VolumeConfig");
  if (json.has("ClusterVolumeSpec")) throw noClusterVolumes();
  const [name, driver] = [json.string("Name"), json.string("Driver")];
  const labels = json.stringMap("Labels");
  const options = json.stringMap("DriverOpts");
  if (driver !== "" && driver !== "local")
    throw new ClusterError(
      "NotFound",
      `create ${name.slice(0, 255)}: ${noSuchVolumeDriver(driver)}`,
    );
  return { name, labels, options };
}

/** Docker's words. */
export function noSuchVolumeDriver(driver: string): string {
  const shown = driver.slice(0, 100);
  return `error looking up volume plugin ${shown}: plugin "${shown}" not found`;
}

export function noClusterVolumes(): ClusterError {
  return new ClusterError(
    "Unimplemented",
    "cluster volumes are not supported by this version of muster yet: volumes are of one node",
  );
}

/** Docker's Volume. @param usage what `/system/df` adds. */
export function writeVolume(
  volume: VolumeFacts,
  usage?: { readonly sizeBytes: number },
): Record<string, unknown> {
  const { name, mountpoint, labels, options, createdAtMs, users } = volume;
  return {
    CreatedAt: wireTime(createdAtMs),
    Driver: "local",
    Labels: orNull(labels),
    Mountpoint: mountpoint,
    Name: name,
    Options: orNull(options),
    Scope: "local",
    ...(usage === undefined ? {} : { UsageData: { RefCount: users, Size: usage.sizeBytes } }),
  };
}

/** The volumes that filters let through, by name. @throws {ClusterError} InvalidArgument. */
export function filterVolumes(all: readonly VolumeFacts[], filters: Filters): VolumeFacts[] {
  const { driver, label, name } = filters;
  const dangling = readTruth(filters, "dangling");
  if (name?.some((text) => text.length > PATTERN_LENGTH_MAX))
    throw new ClusterError("InvalidArgument", "invalid filter 'name': it is too long");
  const patterns = (name ?? []).map(toPattern);
  return all
    .filter((volume) => dangling === undefined || dangling === (volume.users === 0))
    .filter(() => driver === undefined || driver.length === 0 || driver.includes("local"))
    .filter((volume) => hasLabels(volume.labels, label))
    .filter((volume) => patterns.length === 0 || patterns.some((one) => one.test(volume.name)))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * What a prune takes of the volumes no container has. One with options is never taken: it may be a share that others use.
 *
 * @throws {ClusterError} InvalidArgument.
 */
export function prunesVolumes(
  filters: Filters,
  apiMinor: number,
): (volume: Pick<VolumeFacts, "labels" | "options">) => boolean {
  const all = readTruth(filters, "all") ?? apiMinor < ANONYMOUS_ONLY_SINCE;
  return ({ labels, options }) =>
    Object.keys(options).length === 0 &&
    (all || Object.hasOwn(labels, ANONYMOUS_LABEL)) &&
    hasLabels(labels, filters.label) &&
    !(filters["label!"] ?? []).some((label) => hasLabels(labels, [label]));
}

function orNull(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  return Object.keys(map).length > 0 ? map : null;
}
