import type { JsonReader } from "../http/json-reader.ts";
import type { ConfigObject } from "./image-changes.ts";

/** What an image says about its containers; the rest of a container's Config is its own affair. */
const IMAGE_FIELDS = [
  ...["Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels"],
  ...["OnBuild", "Shell", "StopSignal", "User", "Volumes", "WorkingDir"],
];
const MAPS = ["ExposedPorts", "Labels", "Volumes"];

/** Those of the fields that hold anything: Go's clients send the others too, as null or empty. */
export function imageConfigOf(config: JsonReader): ConfigObject {
  const set = IMAGE_FIELDS.filter((name) => !isEmpty(config.value(name)));
  return Object.fromEntries(set.map((name) => [name, config.value(name)]));
}

/**
 * What somebody asks of an image, and where that says nothing what its container was. A command of the container's is of no
 * use to an entry point that is asked for.
 *
 * Source: moby, builder/dockerfile and daemon/commit.go, `merge`.
 */
export function mergeConfigs(asked: ConfigObject, own: ConfigObject): ConfigObject {
  const { Cmd: _, ...rest } = own;
  const merged: Record<string, unknown> = {
    ...(asked.Entrypoint === undefined ? own : rest),
    ...asked,
  };
  for (const name of MAPS)
    if (merged[name] !== undefined)
      merged[name] = {
        ...(own[name] as object | undefined),
        ...(asked[name] as object | undefined),
      };
  if (merged.Env !== undefined) merged.Env = mergeEnv(listOf(asked.Env), listOf(own.Env));
  return merged;
}

function mergeEnv(asked: readonly string[], own: readonly string[]): readonly string[] {
  const names = new Set(asked.map(nameOf));
  return [...asked, ...own.filter((line) => !names.has(nameOf(line)))];
}

function nameOf(line: string): string {
  return line.split("=", 1)[0] ?? "";
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
