import { ClusterError } from "../../core/errors.ts";
import type { ResourceLimits } from "../container/settings.ts";

/** The OCI specification's `linux.resources`, as far as limits go. */
export interface CgroupResources {
  readonly cpu?: CpuResources;
  readonly memory?: MemoryResources;
  readonly pids?: { readonly limit: number };
  readonly blockIO?: BlockIoResources;
}

interface CpuResources {
  readonly shares?: number;
  readonly quota?: number;
  readonly period?: number;
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  readonly cpus?: string;
  readonly mems?: string;
}

interface MemoryResources {
  readonly limit?: number;
  readonly swap?: number;
  readonly reservation?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
}

/** A limit of one device. */
export interface DeviceLimit {
  readonly major: number;
  readonly minor: number;
  readonly rate?: number;
  readonly weight?: number;
}

export interface BlockIoResources {
  readonly weight?: number;
  readonly weightDevice?: readonly DeviceLimit[];
  readonly throttleReadBpsDevice?: readonly DeviceLimit[];
  readonly throttleWriteBpsDevice?: readonly DeviceLimit[];
  readonly throttleReadIOPSDevice?: readonly DeviceLimit[];
  readonly throttleWriteIOPSDevice?: readonly DeviceLimit[];
}

/** Numbers of a device; undefined when there is none at the path. */
export type DeviceNumbers = (
  path: string,
) => { readonly major: number; readonly minor: number } | undefined;

/** What a kernel period of scheduling is, in microseconds; Docker's for --cpus. */
export const CPU_PERIOD_US = 100_000;
/** The kernel takes no smaller quota. */
const CPU_QUOTA_MIN_US = 1000;
const CPU_PERIOD_MAX_US = 1_000_000;
const CPU_SHARES_MIN = 2;
const CPU_SHARES_MAX = 262_144;
const NANOS = 1e9;
/** A container with less does not start. Source: moby, linuxMinMemory. */
const MEMORY_MIN_BYTES = 6 * 1024 * 1024;
const MEMORY_MAX_BYTES = Math.floor(Number.MAX_SAFE_INTEGER / 2);
/** The kernel's largest pid, PID_MAX_LIMIT. */
const PIDS_MAX = 2 ** 22;
const BLKIO_WEIGHT_MIN = 10;
const BLKIO_WEIGHT_MAX = 1000;
const CPU_LIST = /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/;
const CPU_LIST_LENGTH_MAX = 4096;

/**
 * The cgroup settings for some limits.
 *
 * Memory and swap together get twice the memory, as in Docker, unless they are said, where the kernel can limit swap.
 *
 * @throws {ClusterError} InvalidArgument for a number that is negative, not whole, or that the kernel cannot take, and for
 *   a device that is not there.
 */
export function planResources(
  limits: ResourceLimits,
  canLimitSwap: boolean,
  numbersOf: DeviceNumbers = () => undefined,
): CgroupResources {
  checkLimits(limits);
  const { pids } = limits;
  return {
    ...withoutEmpty({
      cpu: planCpu(limits),
      memory: planMemory(limits, canLimitSwap),
      blockIO: planBlockIo(limits, numbersOf),
    }),
    ...(pids === 0 ? {} : { pids: { limit: pids } }),
  };
}

/** @throws {ClusterError} InvalidArgument: what of some limits cannot be on any machine. */
export function checkLimits(limits: ResourceLimits): void {
  checkWhole("CPU limit", limits.nanoCpus, 0, Number.MAX_SAFE_INTEGER);
  checkWhole("memory limit", limits.memoryBytes, MEMORY_MIN_BYTES, MEMORY_MAX_BYTES);
  checkWhole("memory reservation", limits.memoryReservationBytes, 0, MEMORY_MAX_BYTES);
  checkWhole("limit of processes", limits.pids, 0, PIDS_MAX);
  checkWhole("CPU shares", limits.cpuShares, 0, Number.MAX_SAFE_INTEGER);
  checkWhole("CPU period", limits.cpuPeriodUs, CPU_QUOTA_MIN_US, CPU_PERIOD_MAX_US);
  if (limits.cpuQuotaUs !== -1)
    checkWhole("CPU quota", limits.cpuQuotaUs, CPU_QUOTA_MIN_US, Number.MAX_SAFE_INTEGER);
  checkWhole("real-time runtime", limits.cpuRealtimeRuntimeUs, 0, CPU_PERIOD_MAX_US);
  checkWhole("real-time period", limits.cpuRealtimePeriodUs, 0, CPU_PERIOD_MAX_US);
  checkWhole("block I/O weight", limits.blkioWeight, BLKIO_WEIGHT_MIN, BLKIO_WEIGHT_MAX);
  checkWhole("memory swappiness", limits.memorySwappiness ?? 0, 0, 100);
  if (limits.memorySwapBytes !== -1) {
    checkWhole("memory and swap limit", limits.memorySwapBytes, limits.memoryBytes, 2 ** 52);
    if (limits.memorySwapBytes > 0 && limits.memoryBytes === 0)
      throw refusal("memory and swap limit", "it needs a memory limit too");
  }
  for (const list of [limits.cpusetCpus, limits.cpusetMems])
    if (list !== "" && (list.length > CPU_LIST_LENGTH_MAX || !CPU_LIST.test(list)))
      throw refusal(`list of processors ${JSON.stringify(list.slice(0, 100))}`, "want 0-3,7");
  for (const { weight } of limits.blkioWeightDevices)
    checkWhole("block I/O weight", weight, BLKIO_WEIGHT_MIN, BLKIO_WEIGHT_MAX);
  for (const { rate } of rateLists(limits).flat())
    checkWhole("rate of a device", rate, 0, Number.MAX_SAFE_INTEGER);
}

function rateLists(limits: ResourceLimits): ResourceLimits["blkioReadBps"][] {
  const { blkioReadBps, blkioWriteBps, blkioReadIops, blkioWriteIops } = limits;
  return [blkioReadBps, blkioWriteBps, blkioReadIops, blkioWriteIops];
}

function planCpu(limits: ResourceLimits): CpuResources {
  const share = Math.round((limits.nanoCpus / NANOS) * CPU_PERIOD_US);
  const ofCpus = { quota: Math.max(share, CPU_QUOTA_MIN_US), period: CPU_PERIOD_US };
  return withoutEmpty({
    shares: planShares(limits.cpuShares),
    ...(limits.nanoCpus === 0 ? { quota: limits.cpuQuotaUs, period: limits.cpuPeriodUs } : ofCpus),
    realtimeRuntime: limits.cpuRealtimeRuntimeUs,
    realtimePeriod: limits.cpuRealtimePeriodUs,
    cpus: limits.cpusetCpus,
    mems: limits.cpusetMems,
  });
}

/** The kernel's bounds; runc makes nonsense of less for version 2. */
function planShares(asked: number): number {
  return asked === 0 ? 0 : Math.min(Math.max(asked, CPU_SHARES_MIN), CPU_SHARES_MAX);
}

function planMemory(limits: ResourceLimits, canLimitSwap: boolean): MemoryResources {
  const { memoryBytes, memorySwapBytes, memorySwappiness } = limits;
  const swap = memorySwapBytes === 0 ? memoryBytes * 2 : memorySwapBytes;
  return {
    ...withoutEmpty({
      limit: memoryBytes,
      ...(canLimitSwap ? { swap } : {}),
      reservation: limits.memoryReservationBytes,
      disableOOMKiller: limits.oomKillDisable,
    }),
    // None at all is a setting too.
    ...(memorySwappiness === undefined ? {} : { swappiness: memorySwappiness }),
  };
}

function planBlockIo(limits: ResourceLimits, numbersOf: DeviceNumbers): BlockIoResources {
  const numbers = (path: string) => {
    const found = numbersOf(path);
    if (found === undefined) throw refusal(`device ${path}`, "there is no block device there");
    return found;
  };
  const [readBps, writeBps, readIops, writeIops] = rateLists(limits).map((list) =>
    list.map(({ path, rate }) => ({ ...numbers(path), rate })),
  );
  return withoutEmpty({
    weight: limits.blkioWeight,
    weightDevice: limits.blkioWeightDevices.map(({ path, weight }) => ({
      ...numbers(path),
      weight,
    })),
    throttleReadBpsDevice: readBps,
    throttleWriteBpsDevice: writeBps,
    throttleReadIOPSDevice: readIops,
    throttleWriteIOPSDevice: writeIops,
  });
}

/** Without what says nothing: zero, false, empty texts, lists and objects. */
function withoutEmpty<T extends object>(fields: T): Partial<T> {
  const says = (value: unknown) =>
    typeof value === "object" && value !== null ? Object.keys(value).length > 0 : Boolean(value);
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => says(value)),
  ) as Partial<T>;
}

/** Zero always fits: it means no limit. */
function checkWhole(what: string, value: number, min: number, max: number): void {
  if (value === 0 || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  throw new ClusterError(
    "InvalidArgument",
    `invalid ${what} ${value}: want 0 or a whole number of at least ${Math.max(min, 1)} and at most ${max}`,
  );
}

function refusal(what: string, reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid ${what}: ${reason}`);
}
