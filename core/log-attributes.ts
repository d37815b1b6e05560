import { expandLogTag } from "./log-tag.ts";

/** A container as its log may tell of it. */
export interface Logged {
  readonly id: string;
  readonly imageId: string;
  readonly settings: {
    readonly name: string;
    readonly image: string;
    readonly log: { readonly options: Readonly<Record<string, string>> };
    readonly labels: Readonly<Record<string, string>>;
    readonly env: readonly string[];
  };
}

/**
 * The labels and variables that the options of a container's log ask for, and its tag.
 *
 * Source: moby, daemon/logger/loginfo.go, ExtraAttributes.
 */
export function logAttributes({ id, imageId, settings }: Logged): ReadonlyMap<string, string> {
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
  return new Map(tag === "" ? chosen : [...chosen, ["tag", tag]]);
}

/** As `docker logs --details` shows them before each line. */
export function writeLogAttributes(attributes: ReadonlyMap<string, string>): string {
  return [...attributes]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
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
