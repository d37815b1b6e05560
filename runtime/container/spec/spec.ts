import { type DeviceNumbers, planResources } from "../../cgroup/resources.ts";
import type { ImageConfig } from "../../image/types.ts";
import { type CdiEdits, groupHooks } from "../cdi/cdi-spec.ts";
import type { ContainerConfig, PreparedMount } from "../types.ts";
import { planCommand } from "./command.ts";
import { type Confinement, planConfinement } from "./confinement.ts";
import { planWorkdir } from "./container-path.ts";
import { type HostDevice, planDeviceRules } from "./devices.ts";
import { planEnvironment } from "./environment.ts";
import {
  INIT_TARGET,
  type NetworkFiles,
  planMounts,
  planRootPropagation,
  type SharedMemory,
} from "./mounts.ts";
import { type JoinedNamespaces, planNamespaces } from "./namespaces.ts";
import type {
  OciCapabilities,
  OciDevice,
  OciLinux,
  OciMount,
  OciProcess,
  OciSpec,
} from "./oci-spec.ts";
import { planRlimits } from "./rlimits.ts";
import type { SeccompProfile } from "./seccomp.ts";
import { planSysctls } from "./sysctls.ts";
import type { ContainerUser } from "./user.ts";

/** Everything a container's specification follows from. */
export interface SpecInput {
  readonly config: ContainerConfig;
  readonly image: Pick<ImageConfig, "entrypoint" | "cmd" | "env" | "workdir">;
  /** What it is told of containers it is linked to. */
  readonly linkEnv?: readonly string[];
  readonly hostname: string;
  readonly user: ContainerUser;
  /** Where the root file system is mounted on the host. */
  readonly rootfs: string;
  readonly mounts: readonly PreparedMount[];
  readonly files: NetworkFiles;
  /** Of files that are made anew with each run. */
  readonly fileMounts?: readonly OciMount[];
  /** The init program on the host; empty: none. */
  readonly initPath: string;
  readonly cgroupsPath: string;
  /** Those of the host that it gets. */
  readonly devices: readonly HostDevice[];
  /** What the vendors of its devices want done. */
  readonly edits: CdiEdits;
  readonly deviceNumbers: DeviceNumbers;
  readonly joined: JoinedNamespaces;
  readonly shm: SharedMemory;
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
  /** What we may give, as the kernel writes it, in hexadecimal. */
  readonly ownCapabilities: string;
  /** Whether the kernel confines programs by AppArmor's profiles. */
  readonly hasApparmor: boolean;
  /** Whether a mount can be read-only with all that is mounted below it. */
  readonly canReadOnlyBelow: boolean;
  /** Undefined: the kernel has no seccomp. */
  readonly seccomp: SeccompProfile | undefined;
}

const OOM_SCORE_MIN = -1000;
const OOM_SCORE_MAX = 1000;

/**
 * The OCI specification of a container, with Docker's defaults.
 *
 * @throws {ClusterError} InvalidArgument for whatever in the configuration cannot be.
 */
export function planSpec(input: SpecInput): OciSpec {
  const { config, host } = input;
  const confinement = planConfinement(config, host.seccomp, host);
  const isOwnHost = config.namespaces.uts !== "host";
  return {
    ociVersion: "1.0.2",
    ...(isOwnHost ? { hostname: input.hostname } : {}),
    process: planProcess(input, confinement),
    root: { path: input.rootfs, readonly: config.readOnlyRootfs },
    mounts: [...planMounts(input), ...input.edits.mounts],
    linux: planLinux(input, confinement),
    ...(input.edits.hooks.length > 0 ? { hooks: groupHooks(input.edits) } : {}),
    ...(Object.keys(config.annotations).length > 0 ? { annotations: config.annotations } : {}),
  };
}

function planProcess(input: SpecInput, confinement: Confinement): OciProcess {
  const { config, image, user } = input;
  const { apparmorProfile } = confinement;
  const command = planCommand(config, image);
  const size = consoleSizeOf(config);
  return {
    terminal: config.tty,
    ...(size === undefined ? {} : { consoleSize: size }),
    user: {
      uid: user.uid,
      gid: user.gid,
      additionalGids: [...new Set([...user.additionalGids, ...input.edits.additionalGids])],
    },
    args: input.initPath === "" ? command : [INIT_TARGET, "--", ...command],
    env: planEnvironment({
      hostname: input.hostname,
      home: user.home,
      tty: config.tty,
      links: input.linkEnv ?? [],
      image: image.env,
      container: [...config.env, ...input.edits.env],
    }),
    cwd: planWorkdir(config.workdir, image.workdir),
    capabilities: capabilitySets(confinement.capabilities, user.uid === 0),
    rlimits: planRlimits(config.ulimits, input.host.nofileMax),
    noNewPrivileges: config.security.noNewPrivileges,
    ...(apparmorProfile === "" ? {} : { apparmorProfile }),
    oomScoreAdj: Math.min(Math.max(config.oomScoreAdj, OOM_SCORE_MIN), OOM_SCORE_MAX),
  };
}

/** Clients that run it on a terminal say how large that is: `[rows, columns]`. */
function consoleSizeOf({ tty, client }: ContainerConfig): OciProcess["consoleSize"] | undefined {
  const { ConsoleSize: size } = client;
  if (!tty || !Array.isArray(size)) return undefined;
  const [height, width] = size as readonly unknown[];
  const isCount = (count: unknown) => Number.isInteger(count) && Number(count) > 0;
  if (!isCount(height) || !isCount(width)) return undefined;
  return { height: Number(height), width: Number(width) };
}

function planLinux(input: SpecInput, confinement: Confinement): OciLinux {
  const { config, host, devices } = input;
  const { maskedPaths, readonlyPaths, seccomp } = confinement;
  return {
    namespaces: planNamespaces(config, input.joined, host.cgroupKind),
    cgroupsPath: input.cgroupsPath,
    resources: {
      devices: planDeviceRules(config.devices, config.security.privileged, devices),
      ...planResources(config.limits, host.canLimitSwap, input.deviceNumbers),
    },
    ...(devices.length > 0 ? { devices: devices.map(withoutPermissions) } : {}),
    sysctl: planSysctls(config.sysctls, config),
    maskedPaths,
    readonlyPaths,
    rootfsPropagation: planRootPropagation(input.mounts),
    ...(seccomp === undefined ? {} : { seccomp }),
  };
}

function withoutPermissions({ permissions: _, ...device }: HostDevice): OciDevice {
  return device;
}

/** A user who is not root holds no capability, but a setuid program may gain what is in the bounding set, as on any Linux. */
export function capabilitySets(capabilities: readonly string[], isRoot: boolean): OciCapabilities {
  const held = isRoot ? capabilities : [];
  return { bounding: capabilities, effective: held, permitted: held };
}
