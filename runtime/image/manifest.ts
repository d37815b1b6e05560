import { ClusterError } from "../../core/errors.ts";
import { parseDigest } from "./digest.ts";
import { countAt, type JsonObject, listAt, objectAt, parseJsonObject, textAt } from "./json.ts";
import type { Descriptor, Platform } from "./types.ts";

/** Media types of the documents. Sources: OCI image-spec, media-types.md; distribution, manifest-v2-2.md. */
export const MediaType = {
  OciIndex: "application/vnd.oci.image.index.v1+json",
  OciManifest: "application/vnd.oci.image.manifest.v1+json",
  OciConfig: "application/vnd.oci.image.config.v1+json",
  OciLayer: "application/vnd.oci.image.layer.v1.tar",
  OciLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  OciLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  DockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  DockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

/** What a registry is asked for: everything that can be read. */
export const MANIFEST_ACCEPT = [
  MediaType.OciIndex,
  MediaType.OciManifest,
  MediaType.DockerList,
  MediaType.DockerManifest,
].join(", ");

/** Registries refuse larger ones too. Source: OCI distribution-spec, "Pushing Manifests". */
export const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
/** As many as Docker allows, and fewer than overlayfs's 500. */
export const LAYERS_MAX = 127;
const INDEX_ENTRIES_MAX = 1000;

/** One image for one platform. */
export interface Manifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
}

/** The same image for several platforms, or the table of contents of an OCI layout. */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly entries: readonly IndexEntry[];
}

/** One line of an index. */
export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest or an index, whichever it is.
 *
 * One that could be read as both is refused: two readers would see two images (CVE-2021-41190).
 *
 * @throws {ClusterError} InvalidArgument.
 */
export function parseManifest(bytes: Uint8Array): Manifest | ImageIndex {
  const document = parseJsonObject(bytes, "image manifest");
  const mediaType = textAt(document.mediaType, "image manifest mediaType");
  if (document.schemaVersion !== 2)
    throw invalid("only schema version 2 can be read; push the image again with a newer tool");
  const isIndex = document.manifests !== undefined;
  const isManifest = document.layers !== undefined || document.config !== undefined;
  if (isIndex && isManifest) throw invalid("it is both an image and an index");
  if (isIndex) return parseIndex(document, mediaType || MediaType.OciIndex);
  if (isManifest) return parseImage(document, mediaType || MediaType.OciManifest);
  throw invalid("it is neither an image nor an index");
}

/** Writes an OCI manifest; the same image gives the same bytes. */
export function encodeManifest(config: Descriptor, layers: readonly Descriptor[]): Uint8Array {
  const document = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config: encodeDescriptor(config),
    layers: layers.map(encodeDescriptor),
  };
  return new TextEncoder().encode(JSON.stringify(document));
}

/** A descriptor in its JSON form. */
export function encodeDescriptor({ mediaType, digest, sizeBytes }: Descriptor): JsonObject {
  return { mediaType, digest, size: sizeBytes };
}

function parseIndex(document: JsonObject, mediaType: string): ImageIndex {
  checkMediaType(mediaType, [MediaType.OciIndex, MediaType.DockerList]);
  const entries = listAt(document.manifests, "image index", INDEX_ENTRIES_MAX).map(parseEntry);
  return { kind: "index", mediaType, entries };
}

function parseImage(document: JsonObject, mediaType: string): Manifest {
  checkMediaType(mediaType, [MediaType.OciManifest, MediaType.DockerManifest]);
  const layers = listAt(document.layers, "image manifest layers", LAYERS_MAX);
  return {
    kind: "manifest",
    mediaType,
    config: parseDescriptor(document.config, "image manifest config"),
    layers: layers.map((layer) => parseDescriptor(layer, "image manifest layer")),
  };
}

function parseEntry(value: unknown): IndexEntry {
  const entry = objectAt(value, "image index entry");
  return {
    ...parseDescriptor(entry, "image index entry"),
    platform: entry.platform === undefined ? undefined : parsePlatform(entry.platform),
    annotations: parseAnnotations(entry.annotations),
  };
}

function parseDescriptor(value: unknown, what: string): Descriptor {
  const descriptor = objectAt(value, what);
  return {
    mediaType: textAt(descriptor.mediaType, `${what} mediaType`),
    digest: parseDigest(textAt(descriptor.digest, `${what} digest`)),
    sizeBytes: countAt(descriptor.size, `${what} size`),
  };
}

function parsePlatform(value: unknown): Platform {
  const platform = objectAt(value, "image index platform");
  return {
    os: textAt(platform.os, "image index os"),
    architecture: textAt(platform.architecture, "image index architecture"),
    variant: textAt(platform.variant, "image index variant"),
  };
}

function parseAnnotations(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  const entries = Object.entries(objectAt(value, "annotations"));
  return Object.fromEntries(entries.map(([key, text]) => [key, textAt(text, "annotation")]));
}

function checkMediaType(mediaType: string, known: readonly string[]): void {
  if (!known.includes(mediaType)) throw invalid(`unknown media type ${JSON.stringify(mediaType)}`);
}

function invalid(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid image manifest: ${reason}`);
}
