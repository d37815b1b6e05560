import type { MountSettings } from "../../backends/container-settings.ts";
import { invalid } from "./invalid.ts";

/** Docker's short text for something mounted: `[source:]target[:options]`. Source: moby, volume/mounts/linux_parser.go. */

export const PROPAGATIONS: readonly string[] = [
  ...["private", "rprivate", "shared", "rshared", "slave", "rslave"],
];
/** Of each at most one. `z` and `Z` are SELinux's, which is not there; how files are kept in step matters on a Mac alone. */
const OPTIONS: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["z", "Z"],
  ["nocopy"],
  ["consistent", "cached", "delegated", "default"],
  PROPAGATIONS,
];
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** What is mounted without further words. */
export const NO_MOUNT: MountSettings = {
  type: "volume",
  source: "",
  target: "",
  readOnly: false,
  propagation: "",
  tmpfsSizeBytes: 0,
  tmpfsMode: 0,
  noCopy: false,
};

/** @throws {ClusterError} InvalidArgument. Docker's words. */
export function readBind(text: string): MountSettings {
  const { source, target, options } = splitBind(text);
  const because = (why: string) => `invalid volume specification: '${text.slice(0, 200)}': ${why}`;
  const type = source.startsWith("/") ? "bind" : "volume";
  if (!target.startsWith("/"))
    throw invalid(
      because(
        `invalid mount config for type "${type}": invalid mount path: '${target}' mount path must be absolute`,
      ),
    );
  if (trimSlash(target) === "")
    throw invalid(
      because(
        `invalid mount config for type "${type}": invalid specification: destination can't be '/'`,
      ),
    );
  const words = options === "" ? [] : options.split(",");
  if (!areOptions(words)) throw invalid(`invalid mode: ${options.slice(0, 100)}`);
  const propagation = words.find((word) => PROPAGATIONS.includes(word)) ?? "";
  if (type === "volume" && source !== "") checkVolumeName(source);
  if (type === "bind" && words.includes("nocopy"))
    throw invalid(
      because(`invalid mount config for type "bind": field VolumeOptions must not be specified`),
    );
  if (type === "volume" && propagation !== "")
    throw invalid(
      because(`invalid mount config for type "volume": field BindOptions must not be specified`),
    );
  if (type === "bind" && words.includes("nocopy"))
    throw invalid(
      because(`invalid mount config for type "bind": field VolumeOptions must not be specified`),
    );
  return {
    ...NO_MOUNT,
    type,
    source,
    target,
    readOnly: words.includes("ro"),
    propagation,
    noCopy: words.includes("nocopy"),
    ...(type === "bind" ? { createSource: true } : {}),
  };
}

/** The parts as they stand. @throws {ClusterError} InvalidArgument. */
export function splitBind(text: string): {
  readonly source: string;
  readonly target: string;
  readonly options: string;
} {
  const parts = text.split(":");
  const [source = "", target = "", options = "", ...rest] = parts.length === 1 ? ["", text] : parts;
  const isWhole = target !== "" && rest.length === 0 && (source !== "" || parts.length === 1);
  if (isWhole) return { source, target, options };
  throw invalid(`invalid volume specification: '${text.slice(0, 200)}'`);
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
export function checkVolumeName(name: string): void {
  if (VOLUME_NAME.test(name)) return;
  throw invalid(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

export function trimSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

function areOptions(words: readonly string[]): boolean {
  const isKnown = words.every((word) => OPTIONS.some((kind) => kind.includes(word)));
  return isKnown && OPTIONS.every((kind) => words.filter((word) => kind.includes(word)).length < 2);
}
