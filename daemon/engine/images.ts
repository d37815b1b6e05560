import type {
  CommitOptions,
  ImageBackend,
  ImageFacts,
  ProgressEvent,
  PullOptions,
  TransferOptions,
} from "../../api/backends/images.ts";
import { isBareName } from "../../api/wire/image-name.ts";
import { isPlatform, platformMismatch } from "../../api/wire/platform.ts";
import type { Clock } from "../../core/clock.ts";
import { ClusterError, type ErrorCode } from "../../core/errors.ts";
import type { EventSink } from "../../runtime/events/types.ts";
import {
  familiarReference,
  familiarRepository,
  parseReference,
} from "../../runtime/image/reference.ts";
import type { Image, Images } from "../../runtime/image/types.ts";
import { orConflict } from "./conflict.ts";
import { readCredentials } from "./credentials.ts";
import { fetchArchive } from "./fetch-archive.ts";

const STATUS = "Status: ";
const NEWER = "Status: Downloaded newer image for";
const UP_TO_DATE = "Status: Image is up to date for";
const DENIED: readonly ErrorCode[] = ["Unauthenticated", "PermissionDenied"];

/** This machine's images as the API shows them. */
export function newImages(images: Images, clock: Clock, events: EventSink): ImageBackend {
  const factsOf = (image: Image) => writeFacts(images, image);
  return {
    listImages: () => images.list().map(factsOf),
    getImage: (ref) => factsOf(images.get(ref)),
    tagImage: (ref, name) => images.tag(ref, name),
    removeImage: (ref, options) => orConflict(images.remove(ref, options)),
    pruneImages: (fits) => images.prune((image) => fits(factsOf(image))),
    pullImage: (ref, options) => pull(images, ref, options),
    pushImage: (ref, options) => push(images, ref, options),
    async loadImages(archive, options) {
      const loaded = await images.load(archive, options);
      return loaded.map(({ image, names }) => ({ id: image.id, names }));
    },
    commitImage: (options) => orConflict(commit(images, clock, events, options)),
    saveImages: (refs) => images.save(refs),
    fetchArchive,
    async importImage(archive, options) {
      const asked = { ...options, createdMs: clock.nowMs() };
      return (await images.import(archive, asked)).id;
    },
  };
}

function writeFacts(images: Images, image: Image): ImageFacts {
  const { id, repoTags, repoDigests, created, sizeBytes, config, platform, rawConfig } = image;
  return {
    id,
    repoTags,
    repoDigests,
    createdAtMs: Date.parse(created) || 0,
    sizeBytes,
    labels: config.labels,
    layers: image.layers.map((digest) => ({ digest, sizeBytes: images.layerBytes(digest) })),
    containers: images.usersOf(id).length,
    platform,
    parentId: images.steps.parentOf(id) ?? "",
    hasChildren: images.steps.hasChildren(id),
    rawConfig,
  };
}

/** It is the container's event. */
async function commit(
  images: Images,
  clock: Clock,
  events: EventSink,
  { container, ...options }: CommitOptions,
): Promise<string> {
  const { id } = await images.commit(container.id, { ...options, createdMs: clock.nowMs() });
  const { name, image, labels } = container;
  const named =
    options.name === "" ? {} : { imageRef: familiarReference(parseReference(options.name)) };
  const attributes = { ...labels, comment: options.comment, imageID: id, ...named, name, image };
  events.publish({ type: "container", action: "commit", actorId: container.id, attributes });
  return id;
}

async function pull(
  images: Images,
  ref: string,
  { registryAuth, ...options }: Parameters<ImageBackend["pullImage"]>[1],
): Promise<void> {
  const asked = { ...options, credentials: readCredentials(registryAuth) };
  try {
    if (isBareName(ref)) await pullAll(images, ref, asked);
    else warnOfPlatform(ref, await images.pull(ref, asked), asked);
  } catch (error) {
    throw withoutPrompt(error);
  }
}

/** An image of one platform alone is pulled whatever was asked for. Docker's words. */
function warnOfPlatform(
  ref: string,
  { platform: actual }: Image,
  { platform: wanted, onProgress }: Pick<PullOptions, "platform" | "onProgress">,
): void {
  if (wanted === undefined || isPlatform(actual, wanted)) return;
  const status = `WARNING: ${platformMismatch(ref, actual, wanted)}`;
  onProgress({ id: "", status, currentBytes: 0, totalBytes: 0 });
}

/** All tags of a repository; how that ended is one line, said last. */
async function pullAll(
  images: Images,
  repository: string,
  { onProgress = () => {}, ...options }: Parameters<Images["pull"]>[1] & object,
): Promise<void> {
  let isNew = false;
  const telling = (event: ProgressEvent): void => {
    if (!event.status.startsWith(STATUS)) onProgress(event);
    else isNew ||= event.status.startsWith(NEWER);
  };
  for (const tag of await images.listTags(repository, options))
    await images.pull(`${repository}:${tag}`, { ...options, onProgress: telling });
  const name = familiarRepository(parseReference(repository));
  const status = `${isNew ? NEWER : UP_TO_DATE} ${name}`;
  onProgress({ id: "", status, currentBytes: 0, totalBytes: 0 });
}

/**
 * What a registry shows to nobody else may as well not be there: so Docker says it. Told that a login is missing (401), its
 * command line would ask for one, also where nobody is there to answer.
 */
function withoutPrompt(error: unknown): unknown {
  const isDenied = error instanceof ClusterError && DENIED.includes(error.code);
  return isDenied ? new ClusterError("NotFound", error.message, { cause: error }) : error;
}

/** Each name with the line that programs read what was pushed from. */
async function push(
  images: Images,
  ref: string,
  { registryAuth, onProgress, signal }: TransferOptions,
): Promise<void> {
  let isBegun = false;
  // Of all tags together it is said once where they go.
  const telling = (event: ProgressEvent): void => {
    const isBeginning = event.status.startsWith("The push refers to");
    if (!isBeginning || !isBegun) onProgress(event);
    isBegun ||= isBeginning;
  };
  const asked = { signal, onProgress: telling, credentials: readCredentials(registryAuth) };
  for (const name of isBareName(ref) ? localTags(images, ref) : [ref]) {
    const { digest, sizeBytes } = await images.push(name, asked);
    const pushed = { tag: name.slice(name.lastIndexOf(":") + 1), digest, sizeBytes };
    onProgress({ id: "", status: "", currentBytes: 0, totalBytes: 0, pushed });
  }
}

/** All tags of a repository that are here; the name with `latest` when there are none, which fails as it should. */
function localTags(images: Images, repository: string): readonly string[] {
  const wanted = familiarRepository(parseReference(repository));
  const own = images.list().flatMap((image) => image.repoTags);
  const tags = own.filter((name) => name.slice(0, name.lastIndexOf(":")) === wanted);
  return tags.length > 0 ? tags : [repository];
}
