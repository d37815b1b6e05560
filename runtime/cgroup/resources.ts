import { ClusterError } from "../../core/errors.ts";

/** Zero: no limit. */
export interface Limits {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  readonly pids: number;
}

/** The OCI specification's `linux.resources`, as far as limits go. */
export interface CgroupResources {
  readonly cpu?: { readonly quota: number; readonly period: number };
  readonly memory?: { readonly limit: number; readonly swap?: number };
  readonly pids?: { readonly limit: number };
}

/** What a kernel period of scheduling is, in microseconds; Docker's for --cpus. */
export const CPU_PERIOD_US = 100_000;
/** The kernel takes no smaller quota. */
const CPU_QUOTA_MIN_US = 1000;
const NANOS = 1e9;
/** A container with less does not start. Source: moby, linuxMinMemory. */
const MEMORY_MIN_BYTES = 6 * 1024 * 1024;
/** The kernel's largest pid, PID_MAX_LIMIT. */
const PIDS_MAX = 2 ** 22;

/**
 * The cgroup settings for some limits.
 *
 * Memory and swap together get twice the memory, as in Docker, where the kernel can limit swap.
 *
 * @throws {ClusterError} InvalidArgument for a number that is negative, not whole, or that the kernel cannot take.
 */
export function planResources(limits: Limits, canLimitSwap: boolean): CgroupResources {
  checkWhole("CPU limit", limits.nanoCpus, 0, Number.MAX_SAFE_INTEGER);
  checkWhole(
    "memory limit",
    limits.memoryBytes,
    MEMORY_MIN_BYTES,
    Math.floor(Number.MAX_SAFE_INTEGER / 2),
  );
  checkWhole("limit of processes", limits.pids, 0, PIDS_MAX);
  const quota = Math.round((limits.nanoCpus / NANOS) * CPU_PERIOD_US);
  return {
    ...(limits.nanoCpus === 0
      ? {}
      : { cpu: { quota: Math.max(quota, CPU_QUOTA_MIN_US), period: CPU_PERIOD_US } }),
    ...(limits.memoryBytes === 0 ? {} : { memory: memory(limits.memoryBytes, canLimitSwap) }),
    ...(limits.pids === 0 ? {} : { pids: { limit: limits.pids } }),
  };
}

function memory(limit: number, canLimitSwap: boolean): { limit: number; swap?: number } {
  return canLimitSwap ? { limit, swap: limit * 2 } : { limit };
}

/** Zero always fits: it means no limit. */
function checkWhole(what: string, value: number, min: number, max: number): void {
  if (value === 0 || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  throw new ClusterError(
    "InvalidArgument",
    `invalid ${what} ${value}: want 0 or a whole number of at least ${Math.max(min, 1)} and at most ${max}`,
  );
}
