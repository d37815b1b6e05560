/*
 * What a container is asked to be, as the API hands it on: in the runtime's words, with nothing of Docker's JSON but what only
 * clients have a use for.
 */

export interface ContainerSettings {
  readonly name: string;
  /** As the client named it. */
  readonly image: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly domainname: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly workdir: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly readOnlyRootfs: boolean;
  readonly init: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: readonly {
    readonly name: string;
    readonly soft: number;
    readonly hard: number;
  }[];
  readonly mounts: readonly MountSettings[];
  readonly stopSignal: string;
  /** Below zero: no SIGKILL. */
  readonly stopTimeoutMs: number;
  readonly health: HealthSettings | undefined;
  readonly limits: ResourceLimits;
  /** Lines for /etc/hosts: `IP name`. */
  readonly extraHosts: readonly string[];
  readonly oomScoreAdj: number;
  readonly log: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly security: SecuritySettings;
  readonly namespaces: NamespaceSettings;
  readonly devices: {
    readonly devices: readonly {
      readonly hostPath: string;
      readonly containerPath: string;
      readonly permissions: string;
    }[];
    readonly rules: readonly string[];
    /** `vendor.com/class=name`. */
    readonly cdi: readonly string[];
  };
  readonly dns: {
    readonly servers: readonly string[];
    readonly search: readonly string[];
    readonly options: readonly string[];
  };
  readonly ports: PortSettings;
  readonly shmSizeBytes: number;
  /** Name of an OCI runtime. */
  readonly runtime: string;
  readonly cgroupParent: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly restart: RestartPolicy;
  readonly autoRemove: boolean;
  /** Fields of Docker's JSON that are shown as they were sent, `Config` and `HostConfig` mixed. */
  readonly client: Readonly<Record<string, unknown>>;
}

export interface MountSettings {
  readonly type: "bind" | "volume" | "tmpfs";
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation: string;
  readonly tmpfsSizeBytes: number;
  readonly tmpfsMode: number;
  readonly noCopy: boolean;
  readonly tmpfsOptions?: readonly string[] | undefined;
  readonly nonRecursive?: boolean | undefined;
  readonly createSource?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly driverOptions?: Readonly<Record<string, string>> | undefined;
  /** Of a volume only this part of it, a relative path that leads to nothing outside. */
  readonly subpath?: string | undefined;
  /** How far down a read-only bind is: `top`, what is mounted in it may be written to; `all`, or it fails; else as far as this
   * machine can. */
  readonly readOnlyDepth?: "top" | "all" | undefined;
  /** A volume that goes with the last container that has it. */
  readonly anonymous?: boolean | undefined;
}

export interface HealthSettings {
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
}

export interface SecuritySettings {
  readonly privileged: boolean;
  readonly noNewPrivileges: boolean;
  /** Empty: Docker's; `unconfined`; else a profile in JSON. */
  readonly seccomp: string;
  readonly apparmor: string;
  /** Undefined: Docker's. */
  readonly maskedPaths: readonly string[] | undefined;
  readonly readonlyPaths: readonly string[] | undefined;
}

/** Docker's words, but with whole ids in `container:<id>`. */
export interface NamespaceSettings {
  readonly pid: string;
  readonly ipc: string;
  readonly uts: string;
  readonly cgroup: string;
}

export interface PortSettings {
  readonly exposed: readonly ContainerPort[];
  readonly bindings: readonly PortBinding[];
  readonly publishAll: boolean;
}

export interface ContainerPort {
  /** 1 to 65535. */
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "sctp";
}

export interface PortBinding extends ContainerPort {
  /** Empty: every address of this machine. */
  readonly hostAddress: string;
  /** Any free one from here to the last; both 0: any the machine gives away. */
  readonly hostPortFirst: number;
  readonly hostPortLast: number;
}

export interface RestartPolicy {
  readonly kind: "no" | "always" | "unless-stopped" | "on-failure";
  readonly retriesMax: number;
}

/** Zero, empty and undefined: none. */
export interface ResourceLimits {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  readonly pids: number;
  readonly cpuShares: number;
  readonly cpuQuotaUs: number;
  readonly cpuPeriodUs: number;
  readonly cpuRealtimeRuntimeUs: number;
  readonly cpuRealtimePeriodUs: number;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  /** -1: any. */
  readonly memorySwapBytes: number;
  readonly memoryReservationBytes: number;
  readonly memorySwappiness: number | undefined;
  readonly oomKillDisable: boolean;
  readonly blkioWeight: number;
  readonly blkioWeightDevices: readonly { readonly path: string; readonly weight: number }[];
  readonly blkioReadBps: readonly DeviceRate[];
  readonly blkioWriteBps: readonly DeviceRate[];
  readonly blkioReadIops: readonly DeviceRate[];
  readonly blkioWriteIops: readonly DeviceRate[];
}

export interface DeviceRate {
  readonly path: string;
  readonly rate: number;
}
