import { ClusterError } from "../../../core/errors.ts";

/** How much of a container's output is kept. */
export interface LogLimits {
  readonly kind: "file" | "none";
  /** Written to systemd's journal too; the file is what is read. */
  readonly journal: boolean;
  /** A file longer than this is put aside and a new one begun. */
  readonly sizeBytesMax: number;
  /** Files in all, the newest included. */
  readonly filesMax: number;
}

/** As Docker's `local` driver; its json-file has no limit and fills disks. */
export const LOG_SIZE_BYTES_DEFAULT = 20 * 1024 * 1024;
export const LOG_FILES_DEFAULT = 5;
/**
 * How much longer than its limit a file may get before conmon drops it: room for what a container writes between two looks
 * of the rotator, and the bound for one that is not looked at, say while the daemon is down.
 */
export const LOG_SLACK_BYTES = 256 * 1024 * 1024;
const LOG_FILES_MAX = 1000;
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

/**
 * Reads the options of a container's log driver.
 *
 * @throws {ClusterError} InvalidArgument for a driver or a value that is none; unknown options are left to the API.
 */
export function planLogLimits(log: {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}): LogLimits {
  if (!["", "json-file", "local", "journald", "none"].includes(log.driver))
    throw new ClusterError(
      "InvalidArgument",
      `invalid log driver ${JSON.stringify(log.driver)}: this node has json-file, local, journald and none`,
    );
  const { "max-size": size, "max-file": files } = log.options;
  return {
    kind: log.driver === "none" ? "none" : "file",
    journal: log.driver === "journald",
    sizeBytesMax: size === undefined ? LOG_SIZE_BYTES_DEFAULT : parseSize(size),
    filesMax: files === undefined ? LOG_FILES_DEFAULT : parseFiles(files),
  };
}

/** Where the `age`-th oldest file is; 0 is the one being written. */
export function logFileOf(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

/** The moves that put the newest file aside, oldest first; the one that falls out is replaced. */
export function planRotation(path: string, filesMax: number): { from: string; to: string }[] {
  const moves = [];
  for (let age = filesMax - 2; age >= 0; age--)
    moves.push({ from: logFileOf(path, age), to: logFileOf(path, age + 1) });
  return moves;
}

/** `10m`, `512k`, `1048576`; -1: no limit. */
function parseSize(text: string): number {
  if (text === "-1") return Number.MAX_SAFE_INTEGER;
  const match = /^([0-9]{1,15})([bkmg]?)b?$/.exec(text.toLowerCase());
  const bytes = Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? Number.NaN);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new ClusterError("InvalidArgument", `invalid log option max-size: ${text.slice(0, 40)}`);
}

function parseFiles(text: string): number {
  const files = Number(text);
  if (Number.isInteger(files) && files >= 1 && files <= LOG_FILES_MAX) return files;
  throw new ClusterError("InvalidArgument", `invalid log option max-file: ${text.slice(0, 40)}`);
}
