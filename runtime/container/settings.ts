import type { PortSettings } from "../network/ports/types.ts";
import type { NetworkMode } from "./types.ts";

/*
 * What a container may be asked to be beside its program: how it is confined, which namespaces and devices it has, what it may
 * use, when it is started again. Plain data, so that a record on disk is what was asked for.
 */

/** Everything of a configuration that most containers leave as it is. */
export interface ContainerSettings {
  readonly domainname: string;
  /** Input ends when the first client that sends it is gone. */
  readonly stdinOnce: boolean;
  readonly security: SecuritySettings;
  readonly namespaces: NamespaceSettings;
  readonly devices: DeviceSettings;
  readonly dns: DnsSettings;
  /** Has an effect in a local network only. */
  readonly ports: PortSettings;
  /** Of /dev/shm; 0: 64 MiB. */
  readonly shmSizeBytes: number;
  /** Name of the OCI runtime that makes it; empty: the machine's default. */
  readonly runtime: string;
  /** Where in the control groups its own group is made; empty: among this engine's. */
  readonly cgroupParent: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly restart: RestartPolicy;
  /** It is removed, with its anonymous volumes, when it has ended. */
  readonly autoRemove: boolean;
  /** What only clients have a use for: kept as they said it and given back. */
  readonly client: Readonly<Record<string, unknown>>;
}

export interface SecuritySettings {
  /** All capabilities, all devices, no filter, nothing masked. */
  readonly privileged: boolean;
  readonly noNewPrivileges: boolean;
  /** Empty: Docker's; `unconfined`; else a profile in Docker's JSON. */
  readonly seccomp: string;
  /** A profile the kernel knows; empty or `unconfined`: none. */
  readonly apparmor: string;
  /** Undefined: Docker's. */
  readonly maskedPaths: readonly string[] | undefined;
  readonly readonlyPaths: readonly string[] | undefined;
}

/** Each: empty for one of its own, `host`, or `container:<id>` where that is said. */
export interface NamespaceSettings {
  /** Also `container:<id>`. */
  readonly pid: string;
  /** Also `private`, `shareable`, `none`, `container:<id>`. */
  readonly ipc: string;
  readonly uts: string;
  /** Also `private`; empty: private with cgroup v2 alone. */
  readonly cgroup: string;
}

export interface DeviceSettings {
  readonly devices: readonly DeviceMapping[];
  /** `c 1:3 rwm`, `a *:* rwm`. */
  readonly rules: readonly string[];
  /** Whole names of the Container Device Interface: `nvidia.com/gpu=all`. */
  readonly cdi: readonly string[];
}

export interface DeviceMapping {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Of `rwm`. */
  readonly permissions: string;
}

/** Changes to the host's /etc/resolv.conf; each empty: as there. */
export interface DnsSettings {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export interface RestartPolicy {
  readonly kind: "no" | "always" | "unless-stopped" | "on-failure";
  /** For `on-failure`; 0: no bound. */
  readonly retriesMax: number;
}

/** Zero, empty and undefined: no limit, or the kernel's own value. */
export interface ResourceLimits {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  readonly pids: number;
  readonly cpuShares: number;
  /** In microseconds, as is the period; -1: none. */
  readonly cpuQuotaUs: number;
  readonly cpuPeriodUs: number;
  readonly cpuRealtimeRuntimeUs: number;
  readonly cpuRealtimePeriodUs: number;
  /** `0-2,7`. */
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  /** Memory and swap together; -1: any; 0: twice the memory. */
  readonly memorySwapBytes: number;
  readonly memoryReservationBytes: number;
  /** 0 to 100. */
  readonly memorySwappiness: number | undefined;
  readonly oomKillDisable: boolean;
  /** 10 to 1000. */
  readonly blkioWeight: number;
  readonly blkioWeightDevices: readonly DeviceWeight[];
  readonly blkioReadBps: readonly DeviceRate[];
  readonly blkioWriteBps: readonly DeviceRate[];
  readonly blkioReadIops: readonly DeviceRate[];
  readonly blkioWriteIops: readonly DeviceRate[];
}

export interface DeviceWeight {
  readonly path: string;
  readonly weight: number;
}

export interface DeviceRate {
  readonly path: string;
  /** Bytes or operations a second. */
  readonly rate: number;
}

export const NO_LIMITS: ResourceLimits = {
  nanoCpus: 0,
  memoryBytes: 0,
  pids: 0,
  cpuShares: 0,
  cpuQuotaUs: 0,
  cpuPeriodUs: 0,
  cpuRealtimeRuntimeUs: 0,
  cpuRealtimePeriodUs: 0,
  cpusetCpus: "",
  cpusetMems: "",
  memorySwapBytes: 0,
  memoryReservationBytes: 0,
  memorySwappiness: undefined,
  oomKillDisable: false,
  blkioWeight: 0,
  blkioWeightDevices: [],
  blkioReadBps: [],
  blkioWriteBps: [],
  blkioReadIops: [],
  blkioWriteIops: [],
};

export const NEVER_RESTARTED: RestartPolicy = { kind: "no", retriesMax: 0 };

/** What a container has that says nothing about these. */
export const DEFAULT_SETTINGS: ContainerSettings = {
  domainname: "",
  stdinOnce: false,
  security: {
    privileged: false,
    noNewPrivileges: false,
    seccomp: "",
    apparmor: "",
    maskedPaths: undefined,
    readonlyPaths: undefined,
  },
  namespaces: { pid: "", ipc: "", uts: "", cgroup: "" },
  devices: { devices: [], rules: [], cdi: [] },
  dns: { servers: [], search: [], options: [] },
  ports: { exposed: [], bindings: [], publishAll: false },
  shmSizeBytes: 0,
  runtime: "",
  cgroupParent: "",
  annotations: {},
  restart: NEVER_RESTARTED,
  autoRemove: false,
  client: {},
};

const CONTAINER_REFERENCE = /^container:([0-9a-f]{64})$/;

/** The container whose namespace is joined; undefined when none is. */
export function joinedContainer(mode: string): string | undefined {
  return CONTAINER_REFERENCE.exec(mode)?.[1];
}

/** Every container this one cannot start without. */
export function joinedContainers(
  namespaces: NamespaceSettings,
  network: NetworkMode,
): readonly string[] {
  const { pid, ipc } = namespaces;
  const joined = [joinedContainer(pid), joinedContainer(ipc)];
  if (network.kind === "container") joined.push(network.id);
  return joined.filter((id) => id !== undefined);
}
