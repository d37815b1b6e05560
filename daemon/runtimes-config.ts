import type { Command } from "commander";
import { ClusterError } from "../core/errors.ts";

/** The OCI runtimes that containers may ask for beside those that are found. */
export interface RuntimesConfig {
  /** Of containers that ask for none; empty: the fastest that is found. */
  readonly defaultRuntime: string;
  /** `name=/path`. */
  readonly runtimes: readonly string[];
}

export const DEFAULT_RUNTIMES_CONFIG: RuntimesConfig = { defaultRuntime: "", runtimes: [] };

/** dockerd's keys in the file. */
export const RUNTIMES_FILE_KEYS = { "default-runtime": "defaultRuntime" } as const;

/** dockerd's key whose value is no list there: `{"name": {"path": "/path"}}`. */
export const RUNTIMES_KEY = "runtimes";

const ENTRY = /^([a-zA-Z0-9][a-zA-Z0-9_.-]*)=(\/.+)$/;

export function addRuntimeOptions(program: Command): void {
  program
    .option(
      "--add-runtime <name=path>",
      "An OCI runtime that containers may ask for; may be repeated",
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option(
      "--default-runtime <name>",
      "That of containers that ask for none (default crun, runc)",
    );
}

/**
 * Reads what the file says of runtimes.
 *
 * @throws {ClusterError} InvalidArgument: arguments of a runtime, or one that is no program, are not supported.
 */
export function readRuntimes(value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid('runtimes must be an object like {"name": {"path": "/path"}}');
  return Object.entries(value).map(([name, one]: [string, unknown]) => {
    const { path, ...rest } = (typeof one === "object" && one !== null ? one : {}) as {
      readonly path?: unknown;
    };
    const [other] = Object.keys(rest);
    if (other !== undefined) throw invalid(`runtime ${name}: ${other} is not supported, only path`);
    if (typeof path !== "string") throw invalid(`runtime ${name} must have a path`);
    return `${name}=${path}`;
  });
}

/**
 * Paths of runtimes by name.
 *
 * @throws {ClusterError} InvalidArgument for what is not `name=/path`.
 */
export function runtimePaths(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name, path] = ENTRY.exec(entry) ?? [];
      if (name === undefined || path === undefined)
        throw invalid(`runtime '${entry}' must be a name and an absolute path, name=/path`);
      return [name, path];
    }),
  );
}

function invalid(why: string): ClusterError {
  return new ClusterError("InvalidArgument", `cannot use the configuration: ${why}`);
}
