import { ClusterError } from "../../../core/errors.ts";
import type { OciHook, OciHooks, OciMount } from "../spec/oci-spec.ts";

/**
 * Container Device Interface: what a vendor's file says must be done to a container for it to have a device.
 *
 * Source: CNCF, container-device-interface, SPEC.md 0.8.
 */

/** `vendor.com/class=name`. */
const NAME = /^[A-Za-z0-9][\w.-]*[./][\w./-]*=[A-Za-z0-9][\w.:-]*$/;

/** What is done to a container. */
export interface CdiEdits {
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly OciMount[];
  readonly hooks: readonly { readonly name: string; readonly hook: OciHook }[];
  readonly additionalGids: readonly number[];
}

export interface CdiDeviceNode {
  readonly path: string;
  readonly hostPath: string;
  /** Of `rwm`. */
  readonly permissions: string;
}

/** One file: its devices by their whole names, and what is done when any of them is used. */
export interface CdiSpec {
  readonly devices: ReadonlyMap<string, CdiEdits>;
  readonly common: CdiEdits;
}

const NO_EDITS: CdiEdits = { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] };
/** Those that the runtime runs by itself; the others belong to commands of it that we do not use. */
const HOOKS = ["prestart", "createRuntime", "createContainer", "startContainer"];

/** Whether a text is a device's whole name. */
export function isCdiName(text: string): boolean {
  return NAME.test(text);
}

/** Reads a file's JSON. @throws {ClusterError} InvalidArgument for one that is none. */
export function parseCdiSpec(text: string): CdiSpec {
  const spec = asObject(JSON.parse(text), "it");
  const kind = asString(spec.kind, "kind");
  const devices = asList(spec.devices, "devices").map((device): [string, CdiEdits] => {
    const { name, containerEdits } = asObject(device, "a device");
    return [`${kind}=${asString(name, "a device's name")}`, readEdits(containerEdits)];
  });
  return { devices: new Map(devices), common: readEdits(spec.containerEdits) };
}

/**
 * What is done to a container that is to have the devices.
 *
 * @throws {ClusterError} InvalidArgument naming those no file has. Docker's words.
 */
export function planCdiEdits(specs: readonly CdiSpec[], names: readonly string[]): CdiEdits {
  const used = new Set<CdiSpec>();
  const missing: string[] = [];
  let edits = NO_EDITS;
  for (const name of new Set(names)) {
    const spec = specs.find(({ devices }) => devices.has(name));
    const own = spec?.devices.get(name);
    if (spec === undefined || own === undefined) {
      missing.push(name);
      continue;
    }
    edits = join(used.has(spec) ? edits : join(edits, spec.common), own);
    used.add(spec);
  }
  if (missing.length === 0) return edits;
  throw new ClusterError(
    "InvalidArgument",
    `CDI device injection failed: unresolvable CDI devices ${missing.join(", ")}`,
  );
}

/** The hooks as the runtime reads them. */
export function groupHooks({ hooks }: CdiEdits): OciHooks {
  const groups: Record<string, OciHook[]> = {};
  for (const { name, hook } of hooks) groups[name] = [...(groups[name] ?? []), hook];
  return groups;
}

function join(a: CdiEdits, b: CdiEdits): CdiEdits {
  return {
    env: [...a.env, ...b.env],
    deviceNodes: [...a.deviceNodes, ...b.deviceNodes],
    mounts: [...a.mounts, ...b.mounts],
    hooks: [...a.hooks, ...b.hooks],
    additionalGids: [...a.additionalGids, ...b.additionalGids],
  };
}

function readEdits(value: unknown): CdiEdits {
  if (value === undefined) return NO_EDITS;
  const edits = asObject(value, "containerEdits");
  return {
    env: asList(edits.env, "env").map((entry) => asString(entry, "env")),
    deviceNodes: asList(edits.deviceNodes, "deviceNodes").map((node) => {
      const { path, hostPath, permissions } = asObject(node, "a device node");
      const inside = asString(path, "a device node's path");
      return {
        path: inside,
        hostPath: hostPath === undefined ? inside : asString(hostPath, "hostPath"),
        permissions: permissions === undefined ? "rwm" : asString(permissions, "permissions"),
      };
    }),
    mounts: asList(edits.mounts, "mounts").map((mount): OciMount => {
      const { hostPath, containerPath, options } = asObject(mount, "a mount");
      return {
        type: "bind",
        source: asString(hostPath, "hostPath"),
        destination: asString(containerPath, "containerPath"),
        options: ["rbind", ...asList(options, "options").map((word) => asString(word, "options"))],
      };
    }),
    hooks: asList(edits.hooks, "hooks").map(readHook),
    additionalGids: asList(edits.additionalGids, "additionalGids").map(Number),
  };
}

function readHook(value: unknown): CdiEdits["hooks"][number] {
  const { hookName, path, args, env, timeout } = asObject(value, "a hook");
  const name = asString(hookName, "hookName");
  if (!HOOKS.includes(name)) throw bad(`hooks of the kind ${name} are not run here`);
  return {
    name,
    hook: {
      path: asString(path, "a hook's path"),
      ...(args === undefined ? {} : { args: asList(args, "args").map(String) }),
      ...(env === undefined ? {} : { env: asList(env, "env").map(String) }),
      ...(typeof timeout === "number" ? { timeout } : {}),
    },
  };
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw bad(`${what} must be an object`);
}

function asList(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw bad(`${what} must be a list`);
}

function asString(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw bad(`${what} must be a text`);
}

function bad(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid CDI specification: ${reason}`);
}
