import { ClusterError } from "../../core/errors.ts";
import { shortDigest } from "./digest.ts";
import type { ImageRecord } from "./image-records.ts";
import { parseReference, repositoryName } from "./reference.ts";
import type { Digest, ImageUser } from "./types.ts";

/** What somebody wants removed. */
export interface RemovalRequest {
  readonly imageId: Digest;
  /** As somebody typed it. */
  readonly typed: string;
  /** The whole name it was asked by; undefined: by id, which means all its names. */
  readonly askedName: string | undefined;
  /** All whole names of the image. */
  readonly names: readonly string[];
  /** Containers made from it. */
  readonly users: readonly ImageUser[];
  /** Others were built from it. */
  readonly hasChildren: boolean;
  readonly force: boolean;
}

/** What is to be done about it. */
export interface RemovalPlan {
  readonly untag: readonly string[];
  /** The image goes too; else it stays, without a name when none is left. */
  readonly deleteImage: boolean;
}

/**
 * Decides what a removal removes: a name, with a repository's last tag its digests, and with the last name the image.
 *
 * While others were built from it, the names go and the image stays.
 *
 * Forced while a stopped container uses it, the names go and the image stays: the container may be started again.
 *
 * @throws {ClusterError} FailedPrecondition, in Docker's words.
 * Source: moby, daemon/images/image_delete.go.
 */
export function planRemoval(request: RemovalRequest): RemovalPlan {
  const { imageId, askedName, names, users, hasChildren, force } = request;
  const untag = askedName === undefined ? names : namesThatGo(askedName, names);
  const repositories = new Set(untag.map((name) => repositoryName(parseReference(name))));
  if (askedName === undefined && repositories.size > 1 && !force)
    throw conflict(
      `unable to delete ${shortDigest(imageId)} (must be forced) - image is referenced in multiple repositories`,
    );
  const isLast = untag.length === names.length;
  if (!isLast) return { untag, deleteImage: false };
  const user = users.find(({ running }) => running) ?? users[0];
  // What runs is not taken its image by id, whatever is forced: nobody asks for that by name.
  const isFixed = askedName === undefined && user?.running === true;
  if (user !== undefined && (!force || isFixed)) throw inUse(request, user);
  if (hasChildren && names.length === 0)
    throw conflict(
      `unable to delete ${shortDigest(imageId)} (cannot be forced) - image has dependent child images`,
    );
  return { untag, deleteImage: user === undefined && !hasChildren };
}

/** The records after a removal. `manifests` are the image's. */
export function applyRemoval(
  records: readonly ImageRecord[],
  { untag, deleteImage }: RemovalPlan,
  manifests: ReadonlySet<Digest>,
): readonly ImageRecord[] {
  const own = records.filter(({ manifest }) => manifests.has(manifest.digest));
  if (deleteImage) return records.filter((record) => !own.includes(record));
  const kept = records.filter(({ name }) => name === "" || !untag.includes(name));
  const [last] = own;
  const nameless = last !== undefined && !own.some((record) => kept.includes(record));
  return nameless ? [...kept, { name: "", manifest: last.manifest }] : kept;
}

function namesThatGo(askedName: string, names: readonly string[]): readonly string[] {
  const asked = parseReference(askedName);
  const sameRepository = names.filter(
    (name) => repositoryName(parseReference(name)) === repositoryName(asked),
  );
  const otherTags = sameRepository.filter(
    (name) => name !== askedName && parseReference(name).digest === undefined,
  );
  return asked.digest === undefined && otherTags.length === 0 ? sameRepository : [askedName];
}

function inUse({ imageId, askedName, typed }: RemovalRequest, user: ImageUser): ClusterError {
  const id = user.containerId.slice(0, 12);
  if (askedName === undefined) {
    const [must, state] = user.running ? ["cannot", "running"] : ["must", "stopped"];
    return conflict(
      `unable to delete ${shortDigest(imageId)} (${must} be forced) - image is being used by ${state} container ${id}`,
    );
  }
  return conflict(
    `unable to remove repository reference "${typed}" (must force) - container ${id} is using its referenced image ${shortDigest(imageId)}`,
  );
}

function conflict(reason: string): ClusterError {
  return new ClusterError("FailedPrecondition", `conflict: ${reason}`);
}
