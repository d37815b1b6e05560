import type { ImageFacts } from "../backends/images.ts";
import { JsonReader } from "../http/json-reader.ts";
import { omitEmpty } from "./common.ts";
import { STORAGE_DRIVER } from "./storage-driver.ts";

/** Before 1.43 an image without names had one that says so: older clients print nothing for it otherwise. */
const NONE_NAMES_BEFORE_MINOR = 43;
/** Size again, under the name it had. */
const VIRTUAL_SIZE_BEFORE_MINOR = 44;
/** What the container was that an image was made from: no builder says it any more. */
const CONTAINER_CONFIG_BEFORE_MINOR = 45;
/** Fields of containers that images never used. */
const RUN_FIELDS_BEFORE_MINOR = 50;
const RUN_FIELDS = {
  ...{ Hostname: "", Domainname: "", AttachStdin: false, AttachStdout: false, AttachStderr: false },
  ...{ Tty: false, OpenStdin: false, StdinOnce: false, Image: "" },
};
const NOT_COMPUTED = -1;

export interface SummaryOptions {
  readonly apiMinor: number;
  /** Undefined: -1, not computed. */
  readonly sharedBytes?: number | undefined;
  readonly withContainers?: boolean;
}

/** One image of `/images/json`. */
export function writeImageSummary(
  image: ImageFacts,
  { apiMinor, sharedBytes, withContainers = false }: SummaryOptions,
): Record<string, unknown> {
  const { id, repoTags, repoDigests, createdAtMs, sizeBytes, labels, containers } = image;
  const nameless = repoTags.length + repoDigests.length === 0;
  const asNone = nameless && apiMinor < NONE_NAMES_BEFORE_MINOR;
  return {
    Id: id,
    ParentId: image.parentId,
    RepoTags: asNone ? ["<none>:<none>"] : repoTags,
    RepoDigests: asNone ? ["<none>@<none>"] : repoDigests,
    Created: Math.floor(createdAtMs / 1000),
    Size: sizeBytes,
    ...(apiMinor < VIRTUAL_SIZE_BEFORE_MINOR ? { VirtualSize: sizeBytes } : {}),
    SharedSize: sharedBytes ?? NOT_COMPUTED,
    Labels: labels,
    Containers: withContainers ? containers : NOT_COMPUTED,
  };
}

/** Bytes of each image's layers that another of `images` has too, by image id. */
export function sharedSizes(images: readonly ImageFacts[]): ReadonlyMap<string, number> {
  const users = new Map<string, number>();
  for (const { layers } of images)
    for (const digest of new Set(layers.map((layer) => layer.digest)))
      users.set(digest, (users.get(digest) ?? 0) + 1);
  return new Map(
    images.map(({ id, layers }) => {
      const shared = layers.filter(({ digest }) => (users.get(digest) ?? 0) > 1);
      return [id, shared.reduce((sum, layer) => sum + layer.sizeBytes, 0)];
    }),
  );
}

/** Bytes of all layers, each counted once. */
export function layersSize(images: readonly ImageFacts[]): number {
  const layers = images.flatMap((image) =>
    image.layers.map((layer) => [layer.digest, layer.sizeBytes] as const),
  );
  return [...new Map(layers).values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** `/images/{name}/json`. */
export function writeImage(image: ImageFacts, apiMinor: number): Record<string, unknown> {
  const document = new JsonReader(JSON.parse(image.rawConfig), "image");
  const history = readHistory(document);
  const { platform, sizeBytes } = image;
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: image.parentId,
    Comment: document.string("comment") || (history.at(-1)?.comment ?? ""),
    ...omitEmpty({ Created: document.string("created") }),
    DockerVersion: document.string("docker_version"),
    Author: document.string("author"),
    Config: writeConfig(document.object("config"), apiMinor),
    ...(apiMinor < CONTAINER_CONFIG_BEFORE_MINOR
      ? { Container: "", ContainerConfig: writeConfig(new JsonReader({}, "image"), apiMinor) }
      : {}),
    Architecture: platform.architecture,
    ...omitEmpty({ Variant: platform.variant, OsVersion: document.string("os.version") }),
    Os: platform.os,
    Size: sizeBytes,
    ...(apiMinor < VIRTUAL_SIZE_BEFORE_MINOR ? { VirtualSize: sizeBytes } : {}),
    GraphDriver: { Name: STORAGE_DRIVER, Data: {} },
    RootFS: { Type: "layers", Layers: image.layers.map(({ digest }) => digest) },
    Metadata: {},
  };
}

/** What a container made from it starts with; fields as the builder wrote them. */
function writeConfig(config: JsonReader, apiMinor: number): Record<string, unknown> {
  return {
    ...(apiMinor < RUN_FIELDS_BEFORE_MINOR ? RUN_FIELDS : {}),
    User: config.string("User"),
    ...omitEmpty({
      ExposedPorts: config.value("ExposedPorts"),
      Healthcheck: config.value("Healthcheck"),
      StopSignal: config.string("StopSignal"),
      Shell: config.strings("Shell"),
      ArgsEscaped: config.boolean("ArgsEscaped"),
    }),
    Env: config.strings("Env"),
    Cmd: config.has("Cmd") ? config.strings("Cmd") : null,
    Volumes: config.value("Volumes") ?? null,
    WorkingDir: config.string("WorkingDir"),
    Entrypoint: config.has("Entrypoint") ? config.strings("Entrypoint") : null,
    OnBuild: config.has("OnBuild") ? config.strings("OnBuild") : null,
    Labels: config.has("Labels") ? config.stringMap("Labels") : null,
  };
}

interface HistoryStep {
  readonly created: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly hasLayer: boolean;
}

function readHistory(document: JsonReader): readonly HistoryStep[] {
  return document.objects("history", (step) => ({
    created: step.string("created"),
    createdBy: step.string("created_by"),
    comment: step.string("comment"),
    hasLayer: !step.boolean("empty_layer"),
  }));
}

/**
 * `/images/{name}/history`, the last step first. Images without one show their layers.
 *
 * @param parents what it was built from here, the nearest first: a row each.
 */
export function writeHistory(
  image: ImageFacts,
  parents: readonly ImageFacts[] = [],
): readonly Record<string, unknown>[] {
  const told = readHistory(new JsonReader(JSON.parse(image.rawConfig), "image"));
  const unknown = { created: "", createdBy: "", comment: "", hasLayer: true };
  const steps = told.length > 0 ? told : image.layers.map(() => unknown);
  // Builders that keep no history leave layers that no step speaks of: they lie below the others.
  const untold = image.layers.length - steps.filter(({ hasLayer }) => hasLayer).length;
  const layers = image.layers.slice(Math.max(0, untold)).values();
  const rows = steps.map(({ created, createdBy, comment, hasLayer }) => ({
    Id: "<missing>",
    Created: Math.floor((Date.parse(created) || 0) / 1000),
    CreatedBy: createdBy,
    Tags: null,
    Size: hasLayer ? (layers.next().value?.sizeBytes ?? 0) : 0,
    Comment: comment,
  }));
  const chain = [image, ...parents];
  return rows.reverse().map((row, i) => {
    const { id, repoTags = [] } = chain[i] ?? {};
    if (id === undefined) return row;
    return { ...row, Id: id, Tags: repoTags.length > 0 ? repoTags : null };
  });
}
