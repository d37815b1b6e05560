import { ClusterError } from "../../core/errors.ts";
import type { ContainerBackend, ContainerFacts, ContainerName } from "../backends/containers.ts";

const REF_LENGTH_MAX = 1024;

/** What names containers, and says all of one: to say all of all of them takes longer than most of what is asked for. */
export type ContainerFinder = Pick<ContainerBackend, "containerNames" | "getContainer">;

/** All of the container somebody names. @throws as {@link findId}. */
export function findContainer(containers: ContainerFinder, ref: string): ContainerFacts {
  return containers.getContainer(findId(containers.containerNames(), ref));
}

/**
 * The id of the container somebody names: by its whole id, its name with or without `/`, or the beginning of its id.
 *
 * @throws {ClusterError} NotFound; InvalidArgument when several ids begin so. Docker's words.
 */
export function findId(all: readonly ContainerName[], ref: string): string {
  const wanted = ref.replace(/^\//, "");
  const exact = all.find(({ id }) => id === ref) ?? all.find(({ name }) => name === wanted);
  if (exact !== undefined) return exact.id;
  const [found, ...others] = ref === "" ? [] : all.filter(({ id }) => id.startsWith(ref));
  const shown = ref.slice(0, REF_LENGTH_MAX);
  if (found === undefined) throw new ClusterError("NotFound", `No such container: ${shown}`);
  if (others.length === 0) return found.id;
  throw new ClusterError("InvalidArgument", `multiple IDs found with provided prefix: ${shown}`);
}
