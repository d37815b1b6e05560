import { ClusterError } from "../../core/errors.ts";
import type { ContainerFacts } from "../backends/containers.ts";

const REF_LENGTH_MAX = 1024;

/**
 * The container somebody names: by its whole id, its name with or without `/`, or the beginning of its id.
 *
 * @throws {ClusterError} NotFound; InvalidArgument when several ids begin so. Docker's words.
 */
export function findContainer(all: readonly ContainerFacts[], ref: string): ContainerFacts {
  const name = ref.replace(/^\//, "");
  const exact =
    all.find(({ id }) => id === ref) ?? all.find(({ settings }) => settings.name === name);
  if (exact !== undefined) return exact;
  const [found, ...others] = ref === "" ? [] : all.filter(({ id }) => id.startsWith(ref));
  const shown = ref.slice(0, REF_LENGTH_MAX);
  if (found === undefined) throw new ClusterError("NotFound", `No such container: ${shown}`);
  if (others.length === 0) return found;
  throw new ClusterError("InvalidArgument", `multiple IDs found with provided prefix: ${shown}`);
}
