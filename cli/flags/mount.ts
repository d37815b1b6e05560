import { resolve } from "node:path";
import { ClusterError } from "../../core/errors.ts";
import { parseBoolean } from "./boolean.ts";
import { csvFields } from "./csv.ts";
import { splitPair } from "./parse.ts";
import { parseBytes } from "./units.ts";

type Json = Record<string, unknown>;

/** Keys whose value may be left out: it is true then. */
const SWITCHES = ["readonly", "ro", "volume-nocopy", "bind-nonrecursive"];
const OWN_KEYS = ["type", "source", "target", "readonly", "consistency"];
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["src", "source"],
  ["dst", "target"],
  ["destination", "target"],
  ["ro", "readonly"],
]);
/** Fields of `bind-recursive`. */
const RECURSION: ReadonlyMap<string, string> = new Map([
  ["enabled", ""],
  ["disabled", "NonRecursive"],
  ["writable", "ReadOnlyNonRecursive"],
  ["readonly", "ReadOnlyForceRecursive"],
]);

/**
 * `--mount type=bind,source=/a,target=/b,readonly`; fields with commas stand in quotes. A source that begins with `./` is
 * below the working directory.
 *
 * @throws {ClusterError} `InvalidArgument`. Source: docker/cli, opts/mount.go.
 */
export function parseMount(text: string): Json {
  const mount: Json = { Type: "volume" };
  for (const field of csvFields(text)) {
    const [key, value] = splitPair(field);
    const name = key.trim().toLowerCase();
    if (field.includes("=")) applyField(mount, ALIASES.get(name) ?? name, value, refuse(text));
    else if (SWITCHES.includes(name))
      applyField(mount, ALIASES.get(name) ?? name, "true", refuse(text));
    else throw refuse(text)(`invalid field '${field}' must be a key=value pair`);
  }
  const { Type, Target = "", Source = "" } = mount;
  if (Target === "") throw refuse(text)("target=PATH is missing");
  if (Type === "bind" && Source === "") throw refuse(text)("source=PATH is missing");
  for (const kind of ["bind", "volume", "tmpfs", "image"])
    if (kind !== Type && mount[optionsOf(kind)] !== undefined)
      throw refuse(text)(`cannot mix '${kind}-*' options with mount type '${Type}'`);
  return mount;
}

type Refuse = (why: string) => ClusterError;

function applyField(mount: Json, key: string, value: string, refusal: Refuse): void {
  switch (key) {
    case "type":
      mount.Type = value.toLowerCase();
      return;
    case "source":
      mount.Source = value === "." || value.startsWith("./") ? resolve(value) : value;
      return;
    case "target":
      mount.Target = value;
      return;
    case "readonly":
      mount.ReadOnly = parseBoolean("mount readonly", value);
      return;
    case "consistency":
      mount.Consistency = value.toLowerCase();
      return;
    default:
      applyOption(mount, key, value, refusal);
  }
}

function applyOption(mount: Json, key: string, value: string, refusal: Refuse): void {
  const [kind = ""] = key.split("-", 1);
  const options = () => childOf(mount, optionsOf(kind));
  const driver = () => childOf(options(), "DriverConfig");
  const [name, text] = splitPair(value);
  const put = (target: Json, field: string, to: unknown) => {
    target[field] = to;
  };
  const steps: Readonly<Record<string, () => void>> = {
    "bind-propagation": () => put(options(), "Propagation", value.toLowerCase()),
    "bind-nonrecursive": () => put(options(), "NonRecursive", parseBoolean(key, value)),
    "bind-recursive": () => {
      const field = RECURSION.get(value);
      if (field === undefined)
        throw refusal(`${key} is enabled, disabled, writable or readonly, not '${value}'`);
      if (field !== "") put(options(), field, true);
    },
    "volume-subpath": () => put(options(), "Subpath", value),
    "volume-nocopy": () => put(options(), "NoCopy", parseBoolean(key, value)),
    "volume-label": () => put(childOf(options(), "Labels"), name, text),
    "volume-driver": () => put(driver(), "Name", value),
    "volume-opt": () => put(childOf(driver(), "Options"), name, text),
    "image-subpath": () => put(options(), "Subpath", value),
    "tmpfs-size": () => put(options(), "SizeBytes", parseBytes(value)),
    "tmpfs-mode": () => put(options(), "Mode", parseMode(value, refusal)),
  };
  if (!Object.hasOwn(steps, key)) {
    const known = [...OWN_KEYS, ...Object.keys(steps)].join(", ");
    throw refusal(`'${key}' is not one of ${known}`);
  }
  steps[key]?.();
}

function parseMode(text: string, refusal: Refuse): number {
  if (/^[0-7]{1,5}$/.test(text)) return Number.parseInt(text, 8);
  throw refusal(`tmpfs-mode is octal, like 1777, not '${text}'`);
}

/** `BindOptions` of `bind`. */
function optionsOf(kind: string): string {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}Options`;
}

function childOf(parent: Json, key: string): Json {
  parent[key] ??= {};
  return parent[key] as Json;
}

function refuse(text: string): Refuse {
  return (why) => new ClusterError("InvalidArgument", `invalid mount '${text}': ${why}`);
}
