import { ClusterError } from "../../core/errors.ts";
import type { WireServiceSpec } from "../client/wire.ts";
import { parseCount } from "../flags/units.ts";
import { LIST_FLAGS, SET_FLAGS } from "./flags.ts";

/** The options as commander hands them over: camelCase names; text, true, or a list of texts. */
export type Options = Readonly<Record<string, unknown>>;

/** The spec that `service create` sends. @throws {ClusterError} `InvalidArgument` for a bad value. */
export function createSpec(
  image: string,
  args: readonly string[],
  options: Options,
): WireServiceSpec {
  const mode = options.mode ?? "replicated";
  const spec: WireServiceSpec = {
    Name: String(options.name ?? ""),
    TaskTemplate: { ContainerSpec: { Image: image, ...(args.length > 0 ? { Args: args } : {}) } },
    Mode: modeOf(String(mode), options.replicas),
  };
  applySetFlags(spec, options);
  for (const flag of LIST_FLAGS) {
    for (const text of listOption(options, flag.name)) flag.add(spec, text);
  }
  return spec;
}

/** A copy of `current` as `service update` changes it: first what goes, then what comes. */
export function updateSpec(current: WireServiceSpec, options: Options): WireServiceSpec {
  const spec = structuredClone(current);
  const { image, args, force, replicas } = options;
  if (typeof image === "string") spec.TaskTemplate.ContainerSpec.Image = image;
  if (typeof args === "string")
    spec.TaskTemplate.ContainerSpec.Args = args.split(" ").filter(Boolean);
  if (force === true) spec.TaskTemplate.ForceUpdate = (spec.TaskTemplate.ForceUpdate ?? 0) + 1;
  if (typeof replicas === "string") setReplicas(spec, parseCount("number of replicas", replicas));
  applySetFlags(spec, options);
  for (const flag of LIST_FLAGS) {
    for (const text of listOption(options, `${flag.name}-rm`)) flag.remove(spec, text);
    for (const text of listOption(options, `${flag.name}-add`)) flag.add(spec, text);
  }
  return spec;
}

/** @throws {ClusterError} `InvalidArgument` for a service that is not replicated. */
export function setReplicas(spec: WireServiceSpec, replicas: number): void {
  if (spec.Mode.Replicated === undefined) {
    throw new ClusterError(
      "InvalidArgument",
      `cannot scale ${spec.Name}: it is not a replicated service`,
    );
  }
  spec.Mode = { Replicated: { Replicas: replicas } };
}

function modeOf(mode: string, replicas: unknown): WireServiceSpec["Mode"] {
  if (mode === "replicated") {
    return {
      Replicated: {
        Replicas: replicas === undefined ? 1 : parseCount("number of replicas", String(replicas)),
      },
    };
  }
  if (mode !== "global")
    throw new ClusterError("InvalidArgument", `invalid mode '${mode}': use replicated or global`);
  if (replicas !== undefined)
    throw new ClusterError("InvalidArgument", "replicas can only be used with replicated mode");
  return { Global: {} };
}

function applySetFlags(spec: WireServiceSpec, options: Options): void {
  for (const { flag, apply } of SET_FLAGS) {
    const name = /--([a-z-]+)/.exec(flag)?.[1] ?? "";
    // Commander turns --no-x into x = false.
    const value = name.startsWith("no-")
      ? options[camelCase(name.slice(3))] === false
      : options[camelCase(name)];
    if (value !== undefined && value !== false) apply(spec, String(value));
  }
}

function listOption(options: Options, name: string): readonly string[] {
  const value = options[camelCase(name)];
  return Array.isArray(value) ? (value as string[]) : [];
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
