import { planResources } from "../../cgroup/resources.ts";
import type { ImageConfig } from "../../image/types.ts";
import type { ContainerConfig, NetworkMode } from "../types.ts";
import { planCapabilities } from "./capabilities.ts";
import { planCommand } from "./command.ts";
import { planWorkdir } from "./container-path.ts";
import { DEFAULT_DEVICE_RULES } from "./devices.ts";
import { planEnvironment } from "./environment.ts";
import { INIT_TARGET, type NetworkFiles, planMounts, type ResolvedMount } from "./mounts.ts";
import type { OciCapabilities, OciLinux, OciMount, OciProcess, OciSpec } from "./oci-spec.ts";
import { planRlimits } from "./rlimits.ts";
import { planSeccomp, type SeccompProfile } from "./seccomp.ts";
import { planSysctls } from "./sysctls.ts";
import type { ContainerUser } from "./user.ts";

/** Everything a container's specification follows from. */
export interface SpecInput {
  readonly config: ContainerConfig;
  readonly image: Pick<ImageConfig, "entrypoint" | "cmd" | "env" | "workdir">;
  readonly hostname: string;
  readonly user: ContainerUser;
  /** Where the root file system is mounted on the host. */
  readonly rootfs: string;
  readonly mounts: readonly ResolvedMount[];
  readonly files: NetworkFiles;
  /** Of files that are made anew with each run. */
  readonly fileMounts?: readonly OciMount[];
  /** The init program on the host; empty: none. */
  readonly initPath: string;
  readonly cgroupsPath: string;
  readonly host: HostFacts;
}

/** What this machine is, as far as a specification depends on it. */
export interface HostFacts {
  readonly cgroupKind: "v1" | "v2" | "hybrid";
  readonly canLimitSwap: boolean;
  /** Our own hard limit of open files. */
  readonly nofileMax: number;
  /** As Go spells it: `amd64`. */
  readonly architecture: string;
  readonly kernel: string;
  /** Foreign architectures the kernel cannot run, in libseccomp's spelling. */
  readonly absentArchitectures: readonly string[];
  /** Undefined: the kernel has no seccomp. */
  readonly seccomp: SeccompProfile | undefined;
}

/** Source: moby, daemon/pkg/oci/defaults.go. */
const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
const OOM_SCORE_MIN = -1000;
const OOM_SCORE_MAX = 1000;

/**
 * The OCI specification of a container, with Docker's defaults.
 *
 * @throws {ClusterError} InvalidArgument for whatever in the configuration cannot be.
 */
export function planSpec(input: SpecInput): OciSpec {
  const capabilities = planCapabilities(input.config.capAdd, input.config.capDrop);
  return {
    ociVersion: "1.0.2",
    hostname: input.hostname,
    process: planProcess(input, capabilities),
    root: { path: input.rootfs, readonly: input.config.readOnlyRootfs },
    mounts: planMounts(input.mounts, input.files, input.initPath, input.fileMounts),
    linux: planLinux(input, capabilities),
  };
}

function planProcess(input: SpecInput, capabilities: readonly string[]): OciProcess {
  const { config, image, user } = input;
  const command = planCommand(config, image);
  return {
    terminal: config.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: input.initPath === "" ? command : [INIT_TARGET, "--", ...command],
    env: planEnvironment({
      hostname: input.hostname,
      home: user.home,
      tty: config.tty,
      image: image.env,
      container: config.env,
    }),
    cwd: planWorkdir(config.workdir, image.workdir),
    capabilities: capabilitySets(capabilities, user.uid === 0),
    rlimits: planRlimits(config.ulimits, input.host.nofileMax),
    noNewPrivileges: false,
    oomScoreAdj: Math.min(Math.max(config.oomScoreAdj, OOM_SCORE_MIN), OOM_SCORE_MAX),
  };
}

function planLinux(input: SpecInput, capabilities: readonly string[]): OciLinux {
  const { config, host } = input;
  const seccomp =
    host.seccomp &&
    planSeccomp(host.seccomp, {
      capabilities,
      architecture: host.architecture,
      kernel: host.kernel,
      absentArchitectures: host.absentArchitectures,
    });
  return {
    namespaces: planNamespaces(config.network, host.cgroupKind),
    cgroupsPath: input.cgroupsPath,
    resources: {
      devices: DEFAULT_DEVICE_RULES,
      ...planResources(config.limits, host.canLimitSwap),
    },
    sysctl: planSysctls(config.sysctls, config.network),
    maskedPaths: MASKED_PATHS,
    readonlyPaths: READONLY_PATHS,
    rootfsPropagation: "",
    ...(seccomp === undefined ? {} : { seccomp }),
  };
}

/** A user who is not root holds no capability, but a setuid program may gain what is in the bounding set, as on any Linux. */
function capabilitySets(capabilities: readonly string[], isRoot: boolean): OciCapabilities {
  const held = isRoot ? capabilities : [];
  return { bounding: capabilities, effective: held, permitted: held };
}

function planNamespaces(
  network: NetworkMode,
  cgroupKind: HostFacts["cgroupKind"],
): OciLinux["namespaces"] {
  const namespaces: { type: string; path?: string }[] = [
    { type: "mount" },
    { type: "uts" },
    { type: "pid" },
    { type: "ipc" },
  ];
  // The runtime gives a new network namespace its loopback link, up, and nothing else.
  if (network.kind === "none") namespaces.push({ type: "network" });
  if (network.kind === "namespace") namespaces.push({ type: "network", path: network.path });
  if (cgroupKind === "v2") namespaces.push({ type: "cgroup" });
  return namespaces;
}
