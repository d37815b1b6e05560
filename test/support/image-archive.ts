import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { packTar, type TarInput } from "./tar-writer.ts";

/** A container image's configuration as its JSON has it. */
export interface ImageSettings {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: object;
}

/** What an image is made of. */
export interface ImageParts {
  /** `nginx:latest`; empty: no name. */
  readonly name: string;
  /** Tar archives, lowest first. */
  readonly layers: readonly Buffer[];
  readonly settings: ImageSettings;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };
const CREATED = "2026-01-01T00:00:00Z";

/** The digest as images name it. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The configuration document of an image. */
export function configOf({ layers, settings }: ImageParts): Buffer {
  return json({
    created: CREATED,
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: "linux",
    config: settings,
    rootfs: { type: "layers", diff_ids: layers.map(sha256) },
  });
}

/** An OCI layout in a tar, its layers packed with gzip. */
export function packOciArchive(parts: ImageParts): Buffer {
  const layers = parts.layers.map((layer) => gzipSync(layer));
  const config = configOf(parts);
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map((layer) => descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)),
  });
  const named = { "io.containerd.image.name": parts.name };
  const entry = {
    ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest),
    ...(parts.name === "" ? {} : { annotations: named }),
  };
  const blobs = [...layers, config, manifest].map(blobFile);
  return packTar([
    { name: "oci-layout", content: json({ imageLayoutVersion: "1.0.0" }) },
    { name: "index.json", content: json({ schemaVersion: 2, manifests: [entry] }) },
    ...new Map(blobs.map((blob) => [blob.name, blob])).values(),
  ]);
}

/** What `docker save` wrote before Docker 25: a directory per layer, and links for layers that come twice. */
export function packDockerArchive(parts: ImageParts): Buffer {
  const config = configOf(parts);
  const configName = `${sha256(config).slice("sha256:".length)}.json`;
  const files: TarInput[] = [];
  const seen = new Map<string, string>();
  const layerNames = parts.layers.map((layer, i) => {
    const name = `layer${i}/layer.tar`;
    const twin = seen.get(sha256(layer));
    if (twin === undefined) files.push({ name, content: layer });
    else files.push({ name, type: "symlink", linkName: `../${twin}` });
    seen.set(sha256(layer), twin ?? name);
    return name;
  });
  const item = {
    Config: configName,
    RepoTags: parts.name === "" ? null : [parts.name],
    Layers: layerNames,
  };
  return packTar([
    ...files,
    { name: configName, content: config },
    { name: "manifest.json", content: json([item]) },
  ]);
}

function descriptor(mediaType: string, bytes: Buffer): object {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

function blobFile(bytes: Buffer): TarInput {
  return { name: `blobs/sha256/${sha256(bytes).slice("sha256:".length)}`, content: bytes };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
