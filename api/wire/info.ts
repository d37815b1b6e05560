import type { SwarmInfo, SystemFacts } from "../backend.ts";
import { API_VERSION_MAX, API_VERSION_MIN } from "../http/api-version.ts";
import { STORAGE_DRIVER } from "./storage-driver.ts";
import { writeClusterInfo } from "./swarm.ts";

/** Docker's names of CPU kinds differ between `/info` (uname's) and `/version` (Go's). */
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** Up to then clients warn when bridges do not go through iptables. Our rules are nftables' own and need nothing of it. */
const NO_BRIDGE_FROM_MINOR = 50;

export function writeVersion(facts: SystemFacts): Record<string, unknown> {
  const arch = GO_ARCHITECTURES[facts.architecture] ?? facts.architecture;
  const engine = {
    ApiVersion: API_VERSION_MAX,
    MinAPIVersion: API_VERSION_MIN,
    GitCommit: facts.gitCommit,
    GoVersion: `node-${process.version}`,
    Os: "linux",
    Arch: arch,
    KernelVersion: facts.kernelVersion,
    BuildTime: facts.buildTime,
  };
  return {
    Platform: { Name: "Muster" },
    Components: [
      { Name: "Engine", Version: facts.version, Details: { ...engine, Experimental: "false" } },
      ...facts.programs.map(({ name, version, commit }) => ({
        ...{ Name: name, Version: version },
        Details: { GitCommit: commit },
      })),
    ],
    Version: facts.version,
    ...engine,
  };
}

/** @param apiMinor what the client speaks. */
export function writeInfo(
  facts: SystemFacts,
  swarm: SwarmInfo,
  apiMinor: number,
): Record<string, unknown> {
  const { running, paused, stopped } = facts.containers;
  const { abilities } = facts;
  return {
    ID: facts.id,
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: facts.images,
    Driver: STORAGE_DRIVER,
    DriverStatus: [
      ["Backing Filesystem", facts.fileSystem],
      ["Supports d_type", "true"],
      ["Native Overlay Diff", "true"],
      ["userxattr", "false"],
    ],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "ipvlan", "macvlan", "null", "overlay"],
      Authorization: null,
      Log: ["journald", "json-file", "local"],
    },
    MemoryLimit: abilities.memory,
    SwapLimit: abilities.swap,
    CpuCfsPeriod: abilities.cpuQuota,
    CpuCfsQuota: abilities.cpuQuota,
    CPUShares: abilities.cpuShares,
    CPUSet: abilities.cpuset,
    PidsLimit: abilities.pids,
    IPv4Forwarding: true,
    ...(apiMinor < NO_BRIDGE_FROM_MINOR ? { BridgeNfIptables: true, BridgeNfIp6tables: true } : {}),
    OomKillDisable: abilities.oomKillDisable,
    Debug: false,
    NFd: facts.openFiles,
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: facts.cgroupVersion,
    NEventsListener: 0,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: "linux",
    Architecture: facts.architecture,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: writeRegistryConfig(facts),
    NCPU: facts.cpus,
    MemTotal: facts.memoryBytes,
    GenericResources: null,
    DockerRootDir: facts.dataRoot,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Name: facts.name,
    Labels: facts.labels,
    ExperimentalBuild: false,
    ServerVersion: facts.version,
    Runtimes: Object.fromEntries(abilities.runtimes.map((name) => [name, { path: name }])),
    DefaultRuntime: abilities.runtimes[0] ?? "",
    Swarm: writeSwarmInfo(swarm),
    LiveRestoreEnabled: true,
    Isolation: "",
    ...writeParts(facts),
    Warnings: orNull([...facts.warnings, ...missing(facts)]),
  };
}

/** What of this machine runs and confines containers. */
function writeParts(facts: SystemFacts): Record<string, unknown> {
  const { abilities } = facts;
  const commitOf = (name: string) => {
    const found = facts.programs.find((program) => program.name === name);
    return { ID: found === undefined ? "N/A" : found.commit || found.version };
  };
  return {
    InitBinary: facts.initProgram,
    ContainerdCommit: commitOf("containerd"),
    RuncCommit: commitOf("runc"),
    InitCommit: commitOf(facts.initProgram),
    FirewallBackend: { Driver: "nftables" },
    CDISpecDirs: facts.cdi.dirs,
    DiscoveredDevices: orNull(facts.cdi.devices.map((ID) => ({ Source: "cdi", ID }))),
    SecurityOptions: [
      ...(abilities.apparmor ? ["name=apparmor"] : []),
      "name=seccomp,profile=builtin",
    ],
  };
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null;
}

/** What this machine's kernel cannot limit. Docker's words, by which people look for help. */
function missing({ abilities, cgroupVersion }: SystemFacts): string[] {
  const needed = {
    "memory limit": abilities.memory,
    "swap limit": abilities.swap,
    "oom kill disable": abilities.oomKillDisable || cgroupVersion === "2",
    "cpu cfs quota": abilities.cpuQuota,
    "cpu cfs period": abilities.cpuQuota,
    "cpu shares": abilities.cpuShares,
    cpuset: abilities.cpuset,
  };
  return Object.entries(needed).flatMap(([what, isThere]) =>
    isThere ? [] : [`WARNING: No ${what} support`],
  );
}

function writeSwarmInfo(swarm: SwarmInfo): Record<string, unknown> {
  const managers = swarm.remoteManagers.map(({ nodeId, addr }) => ({ NodeID: nodeId, Addr: addr }));
  return {
    NodeID: swarm.nodeId,
    NodeAddr: swarm.nodeAddr,
    LocalNodeState: swarm.state,
    ControlAvailable: swarm.isManager,
    Error: swarm.error,
    RemoteManagers: managers.length > 0 ? managers : null,
    ...(swarm.cluster === undefined
      ? {}
      : { Nodes: swarm.nodes, Managers: swarm.managers, Cluster: writeClusterInfo(swarm.cluster) }),
  };
}

function writeRegistryConfig(facts: SystemFacts): Record<string, unknown> {
  const insecure = facts.insecureRegistries.map((name): [string, unknown] => [
    name,
    { Name: name, Mirrors: [], Secure: false, Official: false },
  ]);
  const hub = { Name: "docker.io", Mirrors: facts.registryMirrors, Secure: true, Official: true };
  return {
    InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
    IndexConfigs: Object.fromEntries([["docker.io", hub], ...insecure]),
    Mirrors: facts.registryMirrors,
  };
}
