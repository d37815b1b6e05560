import { ClusterError } from "../../core/errors.ts";
import type { LocalNetworkFacts } from "../backends/networks.ts";

const REF_LENGTH_MAX = 200;

/** The network somebody names by its whole id or its name; undefined when there is none. */
export function findExact(
  all: readonly LocalNetworkFacts[],
  ref: string,
): LocalNetworkFacts | undefined {
  return all.find(({ id }) => id === ref) ?? all.find(({ name }) => name === ref);
}

/**
 * The network whose id begins so.
 *
 * @throws {ClusterError} NotFound; InvalidArgument when there are several. Docker's words.
 */
export function findByPrefix(all: readonly LocalNetworkFacts[], ref: string): LocalNetworkFacts {
  const shown = ref.slice(0, REF_LENGTH_MAX);
  const [found, ...others] = findPrefixed(all, ref);
  if (found === undefined) throw new ClusterError("NotFound", `network ${shown} not found`);
  if (others.length === 0) return found;
  throw new ClusterError(
    "InvalidArgument",
    `network ${shown} is ambiguous (${others.length + 1} matches found based on ID prefix)`,
  );
}

/** Those whose ids begin so. */
export function findPrefixed(all: readonly LocalNetworkFacts[], ref: string): LocalNetworkFacts[] {
  return ref === "" ? [] : all.filter(({ id }) => id.startsWith(ref));
}
