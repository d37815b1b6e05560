import { expandLogTag } from "../../core/log-tag.ts";
import type { ContainerSettings } from "../backends/container-settings.ts";
import type { ContainerFacts } from "../backends/containers.ts";

type Logged = Pick<ContainerFacts, "id" | "imageId"> & {
  readonly settings: Pick<ContainerSettings, "name" | "image" | "log" | "labels" | "env">;
};

/**
 * What `docker logs --details` shows before each line: the labels and variables that the log's options ask for.
 *
 * Source: moby, daemon/logger/loginfo.go, ExtraAttributes.
 */
export function logAttributes({ id, imageId, settings }: Logged): string {
  const { name, image: imageName, log, labels, env } = settings;
  const { options } = log;
  const variables = Object.fromEntries(
    env.flatMap((entry) => {
      const at = entry.indexOf("=");
      return at === -1 ? [] : [[entry.slice(0, at), entry.slice(at + 1)] as const];
    }),
  );
  const chosen = [
    ...choose(labels, options.labels, options["labels-regex"]),
    ...choose(variables, options.env, options["env-regex"]),
  ];
  const tag = expandLogTag(options.tag ?? "", { id, name, imageName, imageId });
  const pairs = new Map(tag === "" ? chosen : [...chosen, ["tag", tag]]);
  return [...pairs]
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join(",");
}

function choose(
  all: Readonly<Record<string, string>>,
  names: string | undefined,
  pattern: string | undefined,
): [string, string][] {
  const wanted = new Set((names ?? "").split(",").filter((name) => name !== ""));
  const matches = pattern === undefined ? undefined : toPattern(pattern);
  return Object.entries(all).filter(([name]) => wanted.has(name) || matches?.test(name) === true);
}

function toPattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}
