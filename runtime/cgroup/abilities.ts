/** What this machine can do for containers, as far as machines differ. */
export interface MachineAbilities {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly memoryReservation: boolean;
  readonly swappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly cpuShares: boolean;
  readonly cpuQuota: boolean;
  readonly cpuRealtime: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly blkioWeight: boolean;
  readonly blkioRates: boolean;
  readonly apparmor: boolean;
  readonly cpus: number;
  /** As the kernel lists them: `0`, `0-1`. */
  readonly memoryNodes: string;
  readonly cgroupKind: "v1" | "v2" | "hybrid";
  /** Names of the OCI runtimes there are, the default first. */
  readonly runtimes: readonly string[];
}

/** What control groups can do. */
export type CgroupAbilities = Omit<
  MachineAbilities,
  "apparmor" | "cpus" | "memoryNodes" | "cgroupKind" | "runtimes"
>;

/** Version 2: by the controllers of the root. */
export function unifiedAbilities(controllers: ReadonlySet<string>): CgroupAbilities {
  const [memory, cpu, io] = ["memory", "cpu", "io"].map((name) => controllers.has(name)) as [
    boolean,
    boolean,
    boolean,
  ];
  return {
    memory,
    swap: memory,
    memoryReservation: memory,
    // Version 2 has neither.
    swappiness: false,
    oomKillDisable: false,
    cpuShares: cpu,
    cpuQuota: cpu,
    cpuRealtime: false,
    cpuset: controllers.has("cpuset"),
    pids: controllers.has("pids"),
    blkioWeight: io,
    blkioRates: io,
  };
}

/** Version 1: by the files of each controller's root, or of one of its groups. */
export function legacyAbilities(
  has: (controller: string, file: string) => boolean,
): CgroupAbilities {
  return {
    memory: has("memory", "memory.limit_in_bytes"),
    swap: has("memory", "memory.memsw.limit_in_bytes"),
    memoryReservation: has("memory", "memory.soft_limit_in_bytes"),
    swappiness: has("memory", "memory.swappiness"),
    oomKillDisable: has("memory", "memory.oom_control"),
    cpuShares: has("cpu", "cpu.shares"),
    cpuQuota: has("cpu", "cpu.cfs_quota_us"),
    cpuRealtime: has("cpu", "cpu.rt_runtime_us"),
    cpuset: has("cpuset", "cpuset.cpus"),
    pids: has("pids", "cgroup.procs"),
    blkioWeight: has("blkio", "blkio.weight") || has("blkio", "blkio.bfq.weight"),
    blkioRates: has("blkio", "blkio.throttle.read_bps_device"),
  };
}
