import { type IndexEntry, MediaType, parseManifest } from "./manifest.ts";
import type { Descriptor } from "./types.ts";

/** One line of the store's table of contents: an image's manifest, under a name or without one. */
export interface ImageRecord {
  /** A whole reference, by tag or by digest; empty: an image that has lost its names. */
  readonly name: string;
  readonly manifest: Descriptor;
}

/** Where an OCI layout keeps an entry's name. Source: OCI image-spec, annotations.md. */
export const NAME_ANNOTATION = "org.opencontainers.image.ref.name";

/** Reads `index.json`. @throws {ClusterError} InvalidArgument. */
export function parseRecords(bytes: Uint8Array): readonly ImageRecord[] {
  const index = parseManifest(bytes);
  return index.kind === "index" ? index.entries.map(recordOf) : [];
}

/** Writes `index.json`: an OCI layout that other tools can read. */
export function encodeRecords(records: readonly ImageRecord[]): string {
  const manifests = records.map(({ name, manifest }) => ({
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.sizeBytes,
    ...(name === "" ? {} : { annotations: { [NAME_ANNOTATION]: name } }),
  }));
  return JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }, null, 2);
}

/** Lets `names` mean this manifest. An image that loses its last name thereby stays, without one. */
export function withNames(
  records: readonly ImageRecord[],
  names: readonly string[],
  manifest: Descriptor,
): readonly ImageRecord[] {
  const kept = records.filter(
    (record) =>
      !names.includes(record.name) && !(record.name === "" && sameManifest(record, manifest)),
  );
  const orphans = records.filter(
    (record) =>
      !sameManifest(record, manifest) &&
      !kept.some((other) => sameManifest(other, record.manifest)),
  );
  const nameless = distinctManifests(orphans).map((orphan) => ({ name: "", manifest: orphan }));
  const named = names.map((name) => ({ name, manifest }));
  const added = named.length > 0 || kept.some((record) => sameManifest(record, manifest));
  return [...kept, ...nameless, ...named, ...(added ? [] : [{ name: "", manifest }])];
}

function recordOf(entry: IndexEntry): ImageRecord {
  const { mediaType, digest, sizeBytes } = entry;
  return {
    name: entry.annotations[NAME_ANNOTATION] ?? "",
    manifest: { mediaType, digest, sizeBytes },
  };
}

function sameManifest(record: ImageRecord, manifest: Descriptor): boolean {
  return record.manifest.digest === manifest.digest;
}

function distinctManifests(records: readonly ImageRecord[]): Descriptor[] {
  return [...new Map(records.map(({ manifest }) => [manifest.digest, manifest])).values()];
}
