import type { ClusterError } from "../../../core/errors.ts";
import type { MountSettings } from "../../backends/container-settings.ts";
import type { MountFacts } from "../../backends/containers.ts";
import type { JsonReader } from "../../http/json-reader.ts";
import { invalid } from "./invalid.ts";

/** Docker's five ways to mount something: Binds, Mounts, Tmpfs, Volumes, VolumesFrom. Source: moby, volume/mounts. */

const PROPAGATIONS = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);
/** What a bind's options may say beside the propagation; `z` and `Z` are SELinux's, which is not there. */
const OPTIONS = new Set(["ro", "rw", "z", "Z", "nocopy", "copy"]);
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

const NO_MOUNT: MountSettings = {
  type: "volume",
  source: "",
  target: "",
  readOnly: false,
  propagation: "",
  tmpfsSizeBytes: 0,
  tmpfsMode: 0,
  noCopy: false,
};

/**
 * Everything a container is to have mounted.
 *
 * @param mountsOf those of another container, whole id or name as the client gave it.
 * @throws {ClusterError} InvalidArgument with Docker's words.
 */
export function readMounts(
  config: JsonReader,
  hostConfig: JsonReader,
  mountsOf: (ref: string) => readonly MountFacts[],
): MountSettings[] {
  const named = [
    ...hostConfig.strings("Binds").map(readBind),
    ...hostConfig.objects("Mounts", readMount),
    ...Object.entries(hostConfig.stringMap("Tmpfs")).map(readTmpfs),
  ];
  const targets = new Set<string>();
  for (const { target } of named) {
    const key = trimSlash(target);
    if (targets.has(key)) throw invalid(`Duplicate mount point: ${target}`);
    targets.add(key);
  }
  const add = (mounts: readonly MountSettings[]) =>
    mounts.filter(({ target }) => {
      const isNew = !targets.has(trimSlash(target));
      targets.add(trimSlash(target));
      return isNew;
    });
  const others = hostConfig.strings("VolumesFrom").flatMap((from) => readFrom(from, mountsOf));
  const anonymous = config.keys("Volumes").map((target) => ({ ...NO_MOUNT, target }));
  return [...named, ...add(others), ...add(anonymous)];
}

/** `[source:]target[:options]`. */
export function readBind(text: string): MountSettings {
  const parts = text.split(":");
  const [source = "", target, options = "", ...rest] = parts.length === 1 ? ["", text] : parts;
  if (target === undefined || target === "" || rest.length > 0) throw badBind(text);
  if (!target.startsWith("/"))
    throw invalid(
      `invalid volume specification: '${text}': invalid mount config for type "${source.startsWith("/") ? "bind" : "volume"}": invalid mount path: '${target}' mount path must be absolute`,
    );
  if (trimSlash(target) === "") throw invalid(`invalid volume specification: '${text}'`);
  const words = options === "" ? [] : options.split(",");
  const unknown = words.find((word) => !OPTIONS.has(word) && !PROPAGATIONS.has(word));
  if (unknown !== undefined) throw invalid(`invalid mode: ${options}`);
  const propagation = words.find((word) => PROPAGATIONS.has(word)) ?? "";
  const isBind = source.startsWith("/");
  if (!isBind && source !== "") checkVolumeName(source);
  return {
    ...NO_MOUNT,
    type: isBind ? "bind" : "volume",
    source,
    target,
    readOnly: words.includes("ro"),
    propagation,
    noCopy: words.includes("nocopy"),
    ...(isBind ? { createSource: true } : {}),
  };
}

function readMount(json: JsonReader): MountSettings {
  json.refuse("ClusterOptions", "ImageOptions");
  const type = json.string("Type").toLowerCase();
  if (type !== "bind" && type !== "volume" && type !== "tmpfs")
    throw invalid(`mount type unknown: "${type.slice(0, 40)}"`);
  const [source, target] = [json.string("Source"), json.string("Target")];
  const wrong = (why: string) => invalid(`invalid mount config for type "${type}": ${why}`);
  if (target === "") throw wrong("field Target must not be empty");
  if (!target.startsWith("/"))
    throw wrong(`invalid mount path: '${target}' mount path must be absolute`);
  if (trimSlash(target) === "") throw wrong("invalid specification: destination can't be '/'");
  if (type === "bind" && source === "") throw wrong("field Source must not be empty");
  if (type === "tmpfs" && source !== "") throw wrong("field Source must not be specified");
  if (type === "volume" && source !== "") checkVolumeName(source);
  const bind = json.object("BindOptions");
  bind.refuse("ReadOnlyForceRecursive");
  const volume = json.object("VolumeOptions");
  volume.refuse("Subpath");
  const driver = volume.object("DriverConfig");
  if (!["", "local"].includes(driver.string("Name")) || driver.isSet("Options"))
    throw wrong(
      "volume drivers with a name or options are not supported by this version of muster",
    );
  const tmpfs = json.object("TmpfsOptions");
  return {
    ...NO_MOUNT,
    type,
    source,
    target,
    readOnly: json.boolean("ReadOnly"),
    propagation: bind.choice("Propagation", Object.fromEntries(selfMap(PROPAGATIONS)), ""),
    nonRecursive: bind.boolean("NonRecursive"),
    createSource: bind.boolean("CreateMountpoint"),
    noCopy: volume.boolean("NoCopy"),
    labels: volume.stringMap("Labels"),
    tmpfsSizeBytes: tmpfs.count("SizeBytes"),
    tmpfsMode: tmpfs.count("Mode"),
    tmpfsOptions: tmpfs.list("Options", readTmpfsOption),
  };
}

/** `["exec"]` or `["size", "64m"]`. */
function readTmpfsOption(value: unknown): string {
  if (Array.isArray(value) && value.every((part) => typeof part === "string"))
    return value.join("=");
  throw invalid("invalid tmpfs options: want a list of lists of texts");
}

function readTmpfs([target, options]: readonly [string, string]): MountSettings {
  if (!target.startsWith("/"))
    throw invalid(`invalid tmpfs target '${target}': mount path must be absolute`);
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
  if (ref === "") throw invalid("malformed volumes-from specification: empty");
  if (rest.length > 0 || !/^(?:r[ow]|z|Z)(?:,(?:r[ow]|z|Z))*$/.test(mode))
    throw invalid(`invalid mode for volumes-from: ${mode}`);
  const readOnly = mode.split(",").includes("ro");
  return mountsOf(ref)
    .filter(({ type }) => type !== "tmpfs")
    .map(({ hostPath: _, ...mount }) => ({ ...mount, readOnly: mount.readOnly || readOnly }));
}

/** Docker's MountPoint, of what is mounted. */
export function writeMountPoint(mount: MountFacts): Record<string, unknown> {
  const { type, target, readOnly, propagation } = mount;
  const common = { Type: type, Destination: target };
  const mode = { Mode: "", RW: !readOnly };
  if (type === "tmpfs") return { ...common, Source: "", ...mode, Propagation: "" };
  if (type === "bind")
    return {
      ...common,
      Source: mount.hostPath,
      ...mode,
      Propagation: propagation === "" ? "rprivate" : propagation,
    };
  const { source, hostPath } = mount;
  return {
    ...common,
    Name: source,
    Source: hostPath,
    Driver: "local",
    ...mode,
    Mode: "z",
    Propagation: propagation,
  };
}

function* selfMap(words: Iterable<string>): Generator<[string, string]> {
  for (const word of words) yield [word, word];
}

function checkVolumeName(name: string): void {
  if (VOLUME_NAME.test(name)) return;
  throw invalid(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

function trimSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

function badBind(text: string): ClusterError {
  return invalid(`invalid volume specification: '${text.slice(0, 200)}'`);
}
