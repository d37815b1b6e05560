import { ClusterError } from "../../../core/errors.ts";
import type { ContainerConfig } from "../types.ts";
import type { OciRlimit } from "./oci-spec.ts";

const NAMES = new Set(
  "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
    " ",
  ),
);
/** Linux's largest number of open files, fs.nr_open, by default: for these the kernel refuses "unlimited". */
const NOFILE_UNLIMITED = 1_048_576;
/** As systemd gives services; a container must not inherit ours, which Node raised to the limit. */
const DEFAULT_NOFILE = { type: "RLIMIT_NOFILE", soft: 1024, hard: 524_288 };
/** RLIM_INFINITY, 2^64 - 1, is no number JSON.stringify can write; this much is as good as unlimited. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/**
 * A container's limits of its own.
 *
 * @param nofileMax the largest number of open files this machine lets us give.
 * @throws {ClusterError} InvalidArgument for an unknown name, a soft limit above the hard one, a number out of range.
 */
export function planRlimits(ulimits: ContainerConfig["ulimits"], nofileMax: number): OciRlimit[] {
  const rlimits = ulimits.map(({ name, soft, hard }) => {
    if (!NAMES.has(name)) throw refusal(name, "no such limit");
    if (!isLimit(soft) || !isLimit(hard)) throw refusal(name, "not a whole number of -1 or more");
    const limit = {
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: limitValue(name, soft),
      hard: limitValue(name, hard),
    };
    if (limit.soft > limit.hard) throw refusal(name, "the soft limit is above the hard one");
    return limit;
  });
  const hasNofile = rlimits.some(({ type }) => type === DEFAULT_NOFILE.type);
  if (hasNofile) return rlimits;
  const { type, soft, hard } = DEFAULT_NOFILE;
  return [...rlimits, { type, soft: Math.min(soft, nofileMax), hard: Math.min(hard, nofileMax) }];
}

function isLimit(value: number): boolean {
  return Number.isSafeInteger(value) && value >= -1;
}

function limitValue(name: string, value: number): number {
  if (value !== -1) return value;
  return name === "nofile" ? NOFILE_UNLIMITED : UNLIMITED;
}

function refusal(name: string, reason: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid ulimit ${JSON.stringify(name.slice(0, 100))}: ${reason}`,
  );
}
