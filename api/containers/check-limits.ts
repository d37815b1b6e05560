import { ClusterError } from "../../core/errors.ts";
import type { ResourceLimits } from "../backends/container-settings.ts";
import { swapOf } from "../wire/container/resources.ts";

/** Source: moby, linuxMinMemory. */
const MEMORY_MIN_BYTES = 6 * 1024 * 1024;
const CPU_PERIOD_MIN_US = 1000;
const CPU_PERIOD_MAX_US = 1_000_000;
const NANOS = 1e9;

/** One thing that cannot be, and Docker's words for it. */
interface Mistake {
  readonly isMade: (limits: ResourceLimits, cpus: number) => boolean;
  readonly says: (limits: ResourceLimits, cpus: number) => string;
}

/** An update may change it alone. */
const SWAP_ALONE: Mistake = {
  isMade: ({ memoryBytes, memorySwapBytes }) => memorySwapBytes > 0 && memoryBytes === 0,
  says: () => "You should always set the Memory limit when using Memoryswap limit, see usage",
};

/** Source: moby, daemon/daemon_unix.go, verifyPlatformContainerResources. */
const MISTAKES: readonly Mistake[] = [
  {
    isMade: ({ memoryBytes }) => memoryBytes !== 0 && memoryBytes < MEMORY_MIN_BYTES,
    says: () => "Minimum memory limit allowed is 6MB",
  },
  SWAP_ALONE,
  {
    isMade: ({ memoryBytes, memorySwapBytes }) =>
      memorySwapBytes !== 0 && memorySwapBytes !== -1 && memorySwapBytes < memoryBytes,
    says: () => "Minimum memoryswap limit should be larger than memory limit, see usage",
  },
  {
    isMade: ({ memorySwappiness: value = 0 }) => value < 0 || value > 100,
    says: ({ memorySwappiness }) =>
      `Invalid value: ${memorySwappiness}, valid memory swappiness range is 0-100`,
  },
  {
    isMade: ({ memoryReservationBytes: bytes }) => bytes !== 0 && bytes < MEMORY_MIN_BYTES,
    says: () => "Minimum memory reservation allowed is 6MB",
  },
  {
    isMade: ({ memoryBytes, memoryReservationBytes }) =>
      memoryBytes > 0 && memoryBytes < memoryReservationBytes,
    says: () => "Minimum memory limit can not be less than memory reservation limit, see usage",
  },
  {
    isMade: ({ nanoCpus, cpuPeriodUs }) => nanoCpus !== 0 && cpuPeriodUs !== 0,
    says: () => "Conflicting options: Nano CPUs and CPU Period cannot both be set.",
  },
  {
    isMade: ({ nanoCpus, cpuQuotaUs }) => nanoCpus !== 0 && cpuQuotaUs !== 0,
    says: () => "Conflicting options: Nano CPUs and CPU Quota cannot both be set.",
  },
  {
    isMade: ({ nanoCpus }, cpus) =>
      nanoCpus < 0 || (nanoCpus !== 0 && nanoCpus < NANOS / 100) || nanoCpus > cpus * NANOS,
    says: (_, cpus) =>
      `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`,
  },
  {
    isMade: ({ cpuPeriodUs: us }) => us !== 0 && (us < CPU_PERIOD_MIN_US || us > CPU_PERIOD_MAX_US),
    says: () =>
      "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
  },
  {
    isMade: ({ cpuQuotaUs: us }) => us > 0 && us < CPU_PERIOD_MIN_US,
    says: () => "CPU cfs quota can not be less than 1ms (i.e. 1000)",
  },
  {
    isMade: ({ cpuShares }) => cpuShares < 0,
    says: ({ cpuShares }) => `invalid CPU shares (${cpuShares}): value must be a positive integer`,
  },
  {
    isMade: ({ blkioWeight: weight }) => weight !== 0 && (weight < 10 || weight > 1000),
    says: () => "Range of blkio weight is from 10 to 1000",
  },
  {
    isMade: ({ cpusetCpus }, cpus) => !isListWithin(cpusetCpus, cpus),
    says: ({ cpusetCpus }, cpus) =>
      `Requested CPUs are not available - requested ${cpusetCpus.slice(0, 100)}, available: ${cpus === 1 ? "0" : `0-${cpus - 1}`}`,
  },
];

/** @throws {ClusterError} InvalidArgument for what no container of this machine can have. Docker's words. */
export function checkLimits(limits: ResourceLimits, cpus: number): void {
  refuse(MISTAKES, limits, cpus);
}

function refuse(mistakes: readonly Mistake[], limits: ResourceLimits, cpus: number): void {
  const mistake = mistakes.find(({ isMade }) => isMade(limits, cpus));
  if (mistake !== undefined) throw new ClusterError("InvalidArgument", mistake.says(limits, cpus));
}

/** What an update says, before it is laid over what the container has. @throws as `checkLimits`. */
export function checkUpdate(asked: ResourceLimits, cpus: number): void {
  refuse(
    MISTAKES.filter((mistake) => mistake !== SWAP_ALONE),
    asked,
    cpus,
  );
}

/**
 * Why an update does not go together with what a container has; undefined when it does. Docker's words.
 *
 * Source: moby, container/container_unix.go, UpdateContainer.
 */
export function findUpdateConflict(
  asked: ResourceLimits,
  before: ResourceLimits,
): string | undefined {
  const conflict = (one: string, other: string) =>
    `Conflicting options: ${one} cannot be updated as ${other} has already been set`;
  if (asked.nanoCpus > 0 && before.cpuPeriodUs > 0) return conflict("Nano CPUs", "CPU Period");
  if (asked.nanoCpus > 0 && before.cpuQuotaUs > 0) return conflict("Nano CPUs", "CPU Quota");
  if (asked.cpuPeriodUs > 0 && before.nanoCpus > 0) return conflict("CPU Period", "NanoCPUs");
  if (asked.cpuQuotaUs > 0 && before.nanoCpus > 0) return conflict("CPU Quota", "NanoCPUs");
  const { memoryBytes, memorySwapBytes } = asked;
  if (memoryBytes > 0 && memorySwapBytes === 0 && memoryBytes > swapOf(before))
    return "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time";
  return undefined;
}

/** `0-2,7`; empty: all. What is no list at all is refused where it is used. */
function isListWithin(list: string, cpus: number): boolean {
  const numbers = list.split(/[,-]/).filter((text) => text !== "");
  return numbers.every((text) => Number(text) < cpus);
}
