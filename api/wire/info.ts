import type { SwarmInfo, SystemFacts } from "../backend.ts";
import { API_VERSION_MAX, API_VERSION_MIN } from "../http/api-version.ts";
import { writeClusterInfo } from "./swarm.ts";

/** Docker's names of CPU kinds differ between `/info` (uname's) and `/version` (Go's). */
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

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
    ],
    Version: facts.version,
    ...engine,
  };
}

export function writeInfo(facts: SystemFacts, swarm: SwarmInfo): Record<string, unknown> {
  const { running, paused, stopped } = facts.containers;
  const { abilities } = facts;
  return {
    ID: facts.id,
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: facts.images,
    Driver: "overlayfs",
    DriverStatus: [["Backing store", facts.dataRoot]],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "ipvlan", "macvlan", "null", "overlay"],
      Authorization: null,
      Log: ["journald", "json-file", "local", "none"],
    },
    MemoryLimit: abilities.memory,
    SwapLimit: abilities.swap,
    CpuCfsPeriod: abilities.cpuQuota,
    CpuCfsQuota: abilities.cpuQuota,
    CPUShares: abilities.cpuShares,
    CPUSet: abilities.cpuset,
    PidsLimit: abilities.pids,
    IPv4Forwarding: true,
    OomKillDisable: abilities.oomKillDisable,
    Debug: false,
    NFd: 0,
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
    InitBinary: "",
    ContainerdCommit: { ID: "" },
    RuncCommit: { ID: "" },
    InitCommit: { ID: "" },
    SecurityOptions: [
      ...(abilities.apparmor ? ["name=apparmor"] : []),
      "name=seccomp,profile=builtin",
    ],
    Warnings: orNull([...facts.warnings, ...missing(facts)]),
  };
}

function orNull(list: readonly string[]): readonly string[] | null {
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
