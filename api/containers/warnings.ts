import type { ResourceLimits } from "../backends/container-settings.ts";
import type { MachineAbilities } from "../backends/containers.ts";

/** One thing a kernel may be unable to do. */
interface Inability {
  readonly isMissing: (abilities: MachineAbilities) => boolean;
  readonly isAsked: (limits: ResourceLimits) => boolean;
  readonly without: Partial<ResourceLimits>;
  /** Docker's words. */
  readonly warning: string;
}

/** Source: moby, daemon/daemon_unix.go, verifyPlatformContainerResources. */
const INABILITIES: readonly Inability[] = [
  {
    isMissing: ({ memory }) => !memory,
    isAsked: ({ memoryBytes }) => memoryBytes > 0,
    without: { memoryBytes: 0, memorySwapBytes: 0 },
    warning:
      "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
  },
  {
    isMissing: ({ memory, swap }) => memory && !swap,
    isAsked: ({ memoryBytes, memorySwapBytes }) => memoryBytes > 0 && memorySwapBytes !== -1,
    without: { memorySwapBytes: -1 },
    warning:
      "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
  },
  {
    isMissing: ({ swappiness }) => !swappiness,
    isAsked: ({ memorySwappiness }) => memorySwappiness !== undefined,
    without: { memorySwappiness: undefined },
    warning:
      "Your kernel does not support memory swappiness capabilities, or the cgroup is not mounted. Memory swappiness discarded.",
  },
  {
    isMissing: ({ memoryReservation }) => !memoryReservation,
    isAsked: ({ memoryReservationBytes }) => memoryReservationBytes > 0,
    without: { memoryReservationBytes: 0 },
    warning:
      "Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.",
  },
  {
    isMissing: ({ oomKillDisable }) => !oomKillDisable,
    isAsked: ({ oomKillDisable }) => oomKillDisable,
    without: { oomKillDisable: false },
    warning: "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
  },
  {
    isMissing: ({ oomKillDisable }) => oomKillDisable,
    isAsked: ({ oomKillDisable, memoryBytes }) => oomKillDisable && memoryBytes === 0,
    without: {},
    warning:
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
  },
  {
    isMissing: ({ pids }) => !pids,
    isAsked: ({ pids }) => pids > 0,
    without: { pids: 0 },
    warning:
      "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
  },
  {
    isMissing: ({ cpuShares }) => !cpuShares,
    isAsked: ({ cpuShares }) => cpuShares > 0,
    without: { cpuShares: 0 },
    warning:
      "Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.",
  },
  {
    isMissing: ({ cpuQuota }) => !cpuQuota,
    isAsked: ({ nanoCpus, cpuQuotaUs, cpuPeriodUs }) =>
      nanoCpus > 0 || cpuQuotaUs > 0 || cpuPeriodUs > 0,
    without: { nanoCpus: 0, cpuQuotaUs: 0, cpuPeriodUs: 0 },
    warning:
      "Your kernel does not support CPU CFS scheduler or the cgroup is not mounted. CPU limits discarded.",
  },
  {
    isMissing: ({ cpuRealtime }) => !cpuRealtime,
    isAsked: ({ cpuRealtimeRuntimeUs, cpuRealtimePeriodUs }) =>
      cpuRealtimeRuntimeUs > 0 || cpuRealtimePeriodUs > 0,
    without: { cpuRealtimeRuntimeUs: 0, cpuRealtimePeriodUs: 0 },
    warning:
      "Your kernel does not support CPU real-time scheduler or the cgroup is not mounted. Real-time limits discarded.",
  },
  {
    isMissing: ({ cpuset }) => !cpuset,
    isAsked: ({ cpusetCpus, cpusetMems }) => cpusetCpus !== "" || cpusetMems !== "",
    without: { cpusetCpus: "", cpusetMems: "" },
    warning: "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.",
  },
  {
    isMissing: ({ blkioWeight }) => !blkioWeight,
    isAsked: ({ blkioWeight }) => blkioWeight > 0,
    without: { blkioWeight: 0 },
    warning:
      "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
  },
  {
    isMissing: ({ blkioWeight }) => !blkioWeight,
    isAsked: ({ blkioWeightDevices }) => blkioWeightDevices.length > 0,
    without: { blkioWeightDevices: [] },
    warning:
      "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
  },
  {
    isMissing: ({ blkioRates }) => !blkioRates,
    isAsked: (limits) =>
      limits.blkioReadBps.length > 0 ||
      limits.blkioWriteBps.length > 0 ||
      limits.blkioReadIops.length > 0 ||
      limits.blkioWriteIops.length > 0,
    without: { blkioReadBps: [], blkioWriteBps: [], blkioReadIops: [], blkioWriteIops: [] },
    warning:
      "Your kernel does not support block I/O rate limits or the cgroup is not mounted. Limits discarded.",
  },
];

/** The limits this machine can keep, and what to tell whoever asked for more. */
export function fitLimits(
  limits: ResourceLimits,
  abilities: MachineAbilities,
): { readonly limits: ResourceLimits; readonly warnings: string[] } {
  const missing = INABILITIES.filter(
    ({ isMissing, isAsked }) => isMissing(abilities) && isAsked(limits),
  );
  const without = missing.map((inability) => inability.without);
  return {
    limits: Object.assign({}, limits, ...without) as ResourceLimits,
    warnings: missing.map(({ warning }) => warning),
  };
}
