import { ClusterError } from "../../core/errors.ts";
import type { ResourceLimits } from "../backends/container-settings.ts";
import type { MachineAbilities } from "../backends/containers.ts";
import { swapOf } from "../wire/container/resources.ts";

/** Source: moby, linuxMinMemory. */
const MEMORY_MIN_BYTES = 6 * 1024 * 1024;
const CPU_PERIOD_MIN_US = 1000;
const CPU_PERIOD_MAX_US = 1_000_000;
const NANOS = 1e9;
/** No processor and no memory node has a number as great. Source: moby, pkg/parsers. */
const LISTED_MAX = 8192;
const LIST_SHOWN_MAX = 100;

/** What a machine has of what a container may ask a part of. */
type Machine = Pick<MachineAbilities, "cpus" | "memoryNodes">;

/** One thing that cannot be, and Docker's words for it. */
interface Mistake {
  readonly isMade: (limits: ResourceLimits, machine: Machine) => boolean;
  readonly says: (limits: ResourceLimits, machine: Machine) => string;
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
    isMade: ({ nanoCpus }, { cpus }) =>
      nanoCpus < 0 || (nanoCpus !== 0 && nanoCpus < NANOS / 100) || nanoCpus > cpus * NANOS,
    says: (_, { cpus }) =>
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
    isMade: ({ cpusetCpus }) => findListFault(cpusetCpus) !== undefined,
    says: ({ cpusetCpus }) =>
      `Invalid value ${shown(cpusetCpus)} for cpuset cpus: ${findListFault(cpusetCpus)}`,
  },
  {
    isMade: ({ cpusetCpus }, machine) => !isListWithin(cpusetCpus, cpusOf(machine)),
    says: ({ cpusetCpus }, machine) =>
      `Requested CPUs are not available - requested ${shown(cpusetCpus)}, available: ${cpusOf(machine)}`,
  },
  {
    isMade: ({ cpusetMems }) => findListFault(cpusetMems) !== undefined,
    says: ({ cpusetMems }) =>
      `Invalid value ${shown(cpusetMems)} for cpuset mems: ${findListFault(cpusetMems)}`,
  },
  {
    isMade: ({ cpusetMems }, { memoryNodes }) => !isListWithin(cpusetMems, memoryNodes),
    says: ({ cpusetMems }, { memoryNodes }) =>
      `Requested memory nodes are not available - requested ${shown(cpusetMems)}, available: ${memoryNodes}`,
  },
];

/** @throws {ClusterError} InvalidArgument for what no container of this machine can have. Docker's words. */
export function checkLimits(limits: ResourceLimits, machine: Machine): void {
  refuse(MISTAKES, limits, machine);
}

function refuse(mistakes: readonly Mistake[], limits: ResourceLimits, machine: Machine): void {
  const mistake = mistakes.find(({ isMade }) => isMade(limits, machine));
  if (mistake !== undefined)
    throw new ClusterError("InvalidArgument", mistake.says(limits, machine));
}

/** What an update says, before it is laid over what the container has. @throws as `checkLimits`. */
export function checkUpdate(asked: ResourceLimits, machine: Machine): void {
  refuse(
    MISTAKES.filter((mistake) => mistake !== SWAP_ALONE),
    asked,
    machine,
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

function cpusOf({ cpus }: Machine): string {
  return cpus === 1 ? "0" : `0-${cpus - 1}`;
}

function shown(list: string): string {
  return list.slice(0, LIST_SHOWN_MAX);
}

/** Why it is no list as `0-2,7`; undefined when it is. Docker's words. Source: moby, pkg/parsers, ParseUintList. */
function findListFault(list: string): string | undefined {
  if (list === "") return undefined;
  const ranges = rangesOf(list);
  if (ranges === undefined) return `invalid format: ${shown(list)}`;
  const isLate = ranges.some(([, last]) => last >= LISTED_MAX);
  return isLate ? `value of out range, maximum is ${LISTED_MAX}` : undefined;
}

/** Whether all of one list are in the other, which the kernel has written; both without fault. */
function isListWithin(list: string, available: string): boolean {
  const there = rangesOf(available) ?? [];
  return (rangesOf(list) ?? []).every(([first, last]) =>
    there.some(([from, to]) => from <= first && last <= to),
  );
}

function rangesOf(list: string): (readonly [first: number, last: number])[] | undefined {
  if (list === "") return [];
  const ranges = list.split(",").map((text) => {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text) ?? [];
    return [Number(first), Number(last)] as const;
  });
  return ranges.every(([first, last]) => first <= last) ? ranges : undefined;
}
