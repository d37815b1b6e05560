import type { CgroupResources } from "../../cgroup/resources.ts";

/** What an OCI runtime reads: the part of the specification that we use, in its own spelling. Source: OCI runtime-spec 1.0.2. */
export interface OciSpec {
  readonly ociVersion: string;
  /** Absent with the host's UTS namespace. */
  readonly hostname?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hooks?: OciHooks;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly mounts: readonly OciMount[];
  readonly linux: OciLinux;
}

/** By when they run: `createContainer`, `startContainer`… */
export type OciHooks = Readonly<Record<string, readonly OciHook[]>>;

/** A program the runtime runs at some point of a container's life. */
export interface OciHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly timeout?: number;
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
  };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly rlimits: readonly OciRlimit[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj: number;
}

/** The inheritable and ambient sets stay empty. Source: CVE-2022-29162. */
export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
}

export interface OciRlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciLinux {
  readonly namespaces: readonly OciNamespace[];
  readonly devices?: readonly OciDevice[];
  readonly cgroupsPath: string;
  readonly resources: OciResources;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly rootfsPropagation: string;
  readonly seccomp?: OciSeccomp;
}

export interface OciNamespace {
  readonly type: string;
  /** Absent: a new one. */
  readonly path?: string;
}

export interface OciResources extends CgroupResources {
  readonly devices: readonly OciDeviceRule[];
}

/** A device node that the runtime makes in the container. */
export interface OciDevice {
  readonly path: string;
  readonly type: "b" | "c" | "p";
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A rule without numbers means every device of its type. */
export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type?: "b" | "c";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface OciSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly SeccompArg[];
  }[];
}

/** A condition on one argument of a system call. */
export interface SeccompArg {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: string;
}
