import { ClusterError } from "../../core/errors.ts";
import type { StoredImage } from "./image-catalog.ts";
import {
  familiarReference,
  familiarRepository,
  parseReference,
  type Reference,
} from "./reference.ts";
import type { Digest } from "./types.ts";

/** By layer: paths of repositories that have it. */
export type MountSources = ReadonlyMap<Digest, readonly string[]>;

/** Of one layer: as many are asked for it before it is sent. */
const SOURCES_MAX = 3;

/** Where names and documents are looked up; ImageCatalog is one. */
interface PushSource {
  readonly ids: readonly Digest[];
  readonly stored: Iterable<StoredImage>;
  namesOf(imageId: Digest): readonly string[];
}

/**
 * Which other repositories of the same registry have which layers: an image's digests are those of repositories it came from
 * or went to.
 *
 * Source: moby, distribution/push_v2.go, getRepositoryMountCandidates.
 */
export function mountSourcesOf(target: Reference, source: PushSource): MountSources {
  const sources = new Map<Digest, string[]>();
  for (const { manifest } of source.stored) {
    const paths = source
      .namesOf(manifest.config.digest)
      .map(parseReference)
      .filter(({ domain, path, digest }) => {
        return digest !== undefined && domain === target.domain && path !== target.path;
      })
      .map(({ path }) => path);
    for (const { digest } of manifest.layers) {
      const known = new Set([...(sources.get(digest) ?? []), ...paths]);
      sources.set(digest, [...known].slice(0, SOURCES_MAX));
    }
  }
  return sources;
}

/** The error for a name nothing here has, in Docker's words. Source: moby, distribution/push.go and push_v2.go. */
export function nothingToPush(reference: Reference, source: PushSource): ClusterError {
  const repository = familiarRepository(reference);
  const names = source.ids.flatMap((id) => source.namesOf(id));
  const isKnown = names.some((name) => familiarRepository(parseReference(name)) === repository);
  const reason = isKnown
    ? `tag does not exist: ${familiarReference(reference)}`
    : `An image does not exist locally with the tag: ${repository}`;
  return new ClusterError("NotFound", reason);
}
