import type { Command } from "commander";
import { ClusterError } from "../../core/errors.ts";
import { isOlder } from "../client/api-version.ts";
import type { Client } from "../client/client.ts";

/**
 * Flags that a daemon of Docker 20.10 (API 1.41) would ignore without a word, and the version that has them.
 *
 * Source: docker/cli 28.2.2, the "version" annotations of its flags; of `--signal`, moby/client.
 */
export const NEWER_FLAGS: readonly { flag: string; version: string; verbs: readonly string[] }[] = [
  { flag: "signal", version: "1.42", verbs: ["stop", "restart"] },
  { flag: "all", version: "1.42", verbs: ["volume prune"] },
  { flag: "annotation", version: "1.43", verbs: ["run", "create"] },
  {
    flag: "health-start-interval",
    version: "1.44",
    verbs: ["run", "create", "service create", "service update"],
  },
  { flag: "platform", version: "1.46", verbs: ["push"] },
  { flag: "platform", version: "1.48", verbs: ["save", "load", "history"] },
  { flag: "platform", version: "1.49", verbs: ["image inspect"] },
  { flag: "platform", version: "1.50", verbs: ["rmi", "image rm"] },
  { flag: "ipv4", version: "1.48", verbs: ["network create"] },
  { flag: "gw-priority", version: "1.48", verbs: ["network connect"] },
];

/** The version that a flag of a verb needs; undefined: any has it. @param path `stop`, `container stop`, `image rm`. */
export function versionOfFlag(path: string, flag: string): string | undefined {
  const short = path.replace(/^(container|image) /, "");
  const found = NEWER_FLAGS.find(
    ({ flag: name, verbs }) => name === flag && (verbs.includes(path) || verbs.includes(short)),
  );
  return found?.version;
}

/**
 * Asks the daemon for its version where a flag was given that an older one would ignore.
 *
 * @throws {ClusterError} `Unimplemented`, in Docker's words.
 */
export async function checkFlagVersions(verb: Command, client: () => Client): Promise<void> {
  const path = pathOf(verb);
  for (const option of verb.options) {
    const flag = option.name();
    const needed = versionOfFlag(path, flag);
    const isGiven = verb.getOptionValueSource(option.attributeName()) === "cli";
    if (needed !== undefined && isGiven) await requireVersion(client(), needed, `"--${flag}"`);
  }
}

/** @throws {ClusterError} `Unimplemented` when the daemon's version is older than what `thing` needs. */
export async function requireVersion(client: Client, needed: string, thing: string): Promise<void> {
  const spoken = await client.agreeOnVersion();
  if (!isOlder(spoken, needed)) return;
  const message = `${thing} requires API version ${needed}, but the Docker daemon API version is ${spoken}`;
  throw new ClusterError("Unimplemented", message);
}

/** Its words after `muster`. */
function pathOf(verb: Command): string {
  const names: string[] = [];
  for (let at: Command | null = verb; at?.parent; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}
