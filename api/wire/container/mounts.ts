import type { ClusterError } from "../../../core/errors.ts";
import type { MountSettings } from "../../backends/container-settings.ts";
import type { MountFacts } from "../../backends/containers.ts";
import type { JsonReader } from "../../http/json-reader.ts";
import { noSuchVolumeDriver } from "../volume.ts";
import { checkVolumeName, NO_MOUNT, PROPAGATIONS, readBind, trimSlash } from "./bind-text.ts";
import { invalid } from "./invalid.ts";
import { checkMountOfOlder } from "./older-clients.ts";

/** Docker's five ways to mount something: Binds, Mounts, Tmpfs, Volumes, VolumesFrom. Source: moby, volume/mounts. */

const DEPTH_CONFLICTS = [
  ["!ReadOnly", "ReadOnlyNonRecursive"],
  ["!ReadOnly", "ReadOnlyForceRecursive"],
  ["ReadOnlyNonRecursive", "ReadOnlyForceRecursive"],
] as const;

/**
 * Everything a container is to have mounted.
 *
 * @param apiMinor of 1.x: what the client speaks.
 * @param mountsOf those of another container, whole id or name as the client gave it.
 * @throws {ClusterError} InvalidArgument with Docker's words.
 */
export function readMounts(
  config: JsonReader,
  hostConfig: JsonReader,
  mountsOf: (ref: string) => readonly MountFacts[],
  apiMinor: number,
): MountSettings[] {
  const named = [
    ...hostConfig.strings("Binds").map(readBind),
    ...hostConfig.objects("Mounts", readMount).map((mount) => checkMountOfOlder(mount, apiMinor)),
    ...Object.entries(hostConfig.stringMap("Tmpfs")).map(readTmpfs),
  ];
  const targets = new Set<string>();
  for (const { target } of named) {
    const key = trimSlash(target);
    if (targets.has(key)) throw invalid(`Duplicate mount point: ${key}`);
    targets.add(key);
  }
  const add = (mounts: readonly MountSettings[]) =>
    mounts.filter(({ target }) => {
      const isNew = !targets.has(trimSlash(target));
      targets.add(trimSlash(target));
      return isNew;
    });
  const others = hostConfig.strings("VolumesFrom").flatMap((from) => readFrom(from, mountsOf));
  const anonymous = config
    .keys("Volumes")
    .map((target) => ({ ...NO_MOUNT, target: trimSlash(target) || target }));
  return [...named, ...add(others), ...add(anonymous)];
}

function readMount(json: JsonReader): MountSettings {
  json.refuse("ClusterOptions", "ImageOptions");
  const type = json.string("Type").toLowerCase();
  if (type !== "bind" && type !== "volume" && type !== "tmpfs")
    throw invalid(`invalid mount config for type "${type.slice(0, 40)}": mount type unknown`);
  const [source, target] = [json.string("Source"), json.string("Target")];
  const wrong = (why: string) => invalid(`invalid mount config for type "${type}": ${why}`);
  if (target === "") throw wrong("field Target must not be empty");
  if (!target.startsWith("/"))
    throw wrong(`invalid mount path: '${target}' mount path must be absolute`);
  if (trimSlash(target) === "") throw wrong("invalid specification: destination can't be '/'");
  if (type === "bind" && source === "") throw wrong("field Source must not be empty");
  if (type === "tmpfs" && source !== "") throw wrong("field Source must not be specified");
  if (type === "volume" && source !== "") checkVolumeName(source);
  for (const other of ["bind", "volume", "tmpfs"].filter((known) => known !== type)) {
    const field = `${other[0]?.toUpperCase()}${other.slice(1)}Options`;
    // Also an empty one: as in Docker, who sends it means another kind of mount.
    if (json.value(field) !== undefined && json.value(field) !== null)
      throw invalid(`${field} must not be specified on mount type "${type}"`);
  }
  const readOnly = json.boolean("ReadOnly");
  if (type === "volume" && source === "" && readOnly)
    throw wrong("must not set ReadOnly mode when using anonymous volumes");
  const common: MountSettings = { ...NO_MOUNT, type, source, target, readOnly };
  switch (type) {
    case "bind":
      return { ...common, ...readBindOptions(json.object("BindOptions"), readOnly, wrong) };
    case "volume":
      return { ...common, ...readVolumeOptions(json.object("VolumeOptions"), source, wrong) };
    case "tmpfs": {
      const tmpfs = json.object("TmpfsOptions");
      return {
        ...common,
        tmpfsSizeBytes: tmpfs.count("SizeBytes"),
        tmpfsMode: tmpfs.count("Mode"),
        tmpfsOptions: tmpfs.list("Options", readTmpfsOption),
      };
    }
  }
}

type Wrong = (why: string) => ClusterError;

function readBindOptions(
  json: JsonReader,
  readOnly: boolean,
  wrong: Wrong,
): Partial<MountSettings> {
  const said: Record<string, boolean> = {
    "!ReadOnly": !readOnly,
    ReadOnlyNonRecursive: json.boolean("ReadOnlyNonRecursive"),
    ReadOnlyForceRecursive: json.boolean("ReadOnlyForceRecursive"),
  };
  const conflict = DEPTH_CONFLICTS.find((pair) => pair.every((name) => said[name]));
  if (conflict !== undefined)
    throw wrong(`mount options conflict: ${conflict[0]} && BindOptions.${conflict[1]}`);
  const propagation = json.string("Propagation");
  if (propagation !== "" && !PROPAGATIONS.includes(propagation))
    throw wrong(`invalid propagation mode: ${propagation.slice(0, 40)}`);
  return {
    propagation,
    nonRecursive: json.boolean("NonRecursive"),
    createSource: json.boolean("CreateMountpoint"),
    readOnlyDepth: said.ReadOnlyNonRecursive
      ? "top"
      : said.ReadOnlyForceRecursive
        ? "all"
        : undefined,
  };
}

function readVolumeOptions(json: JsonReader, source: string, wrong: Wrong): Partial<MountSettings> {
  const subpath = json.string("Subpath");
  if (!isLocal(subpath)) throw wrong("subpath must be a relative path within the volume");
  if (subpath !== "" && source === "")
    throw wrong("must not set Subpath when using anonymous volumes");
  const driver = json.object("DriverConfig");
  const name = driver.string("Name");
  if (name !== "" && name !== "local") throw invalid(noSuchVolumeDriver(name));
  return {
    noCopy: json.boolean("NoCopy"),
    labels: json.stringMap("Labels"),
    driverOptions: driver.stringMap("Options"),
    ...(subpath === "" ? {} : { subpath }),
  };
}

/** Whether a path stays below where it begins, links aside. */
function isLocal(path: string): boolean {
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return false;
  }
  return !path.startsWith("/") && !path.includes("\0");
}

/** `["exec"]` or `["size", "64m"]`. */
function readTmpfsOption(value: unknown): string {
  if (Array.isArray(value) && value.every((part) => typeof part === "string"))
    return value.join("=");
  throw invalid("invalid tmpfs options: want a list of lists of texts");
}

function readTmpfs([target, options]: readonly [string, string]): MountSettings {
  if (!target.startsWith("/"))
    throw invalid(`invalid mount path: '${target}' mount path must be absolute`);
  const words = options.split(",").filter((word) => word !== "");
  return {
    ...NO_MOUNT,
    type: "tmpfs",
    target,
    readOnly: words.includes("ro"),
    tmpfsOptions: words.filter((word) => word !== "ro" && word !== "rw"),
  };
}

/** `container[:ro|rw]`. */
function readFrom(text: string, mountsOf: (ref: string) => readonly MountFacts[]): MountSettings[] {
  const [ref = "", mode = "rw", ...rest] = text.split(":");
  if (ref === "") throw invalid("volumes-from specification cannot be an empty string");
  if (rest.length > 0 || !/^(?:r[ow]|z|Z)(?:,(?:r[ow]|z|Z))*$/.test(mode))
    throw invalid(`invalid mode: ${mode.slice(0, 100)}`);
  const readOnly = mode.split(",").includes("ro");
  return mountsOf(ref)
    .filter(({ type }) => type !== "tmpfs")
    .map(({ hostPath: _, ...mount }) => ({
      ...mount,
      readOnly: mount.readOnly || readOnly,
      noCopy: true,
    }));
}
