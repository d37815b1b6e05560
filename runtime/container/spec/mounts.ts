import { ClusterError } from "../../../core/errors.ts";
import type { MountConfig } from "../types.ts";
import { normalizePath } from "./container-path.ts";
import type { OciMount } from "./oci-spec.ts";

/** A mount whose source is known: the volume's directory, the bind's path; empty for tmpfs. */
export interface ResolvedMount extends MountConfig {
  readonly hostPath: string;
}

/** Files of ours that a container sees unless it mounts something there itself. */
export interface NetworkFiles {
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
}

const SHM_SIZE_BYTES = 64 * 1024 * 1024;
const PROPAGATIONS = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/** What every Linux container has. Source: moby, daemon/pkg/oci/defaults.go; cgroups read-only: CVE-2023-25809. */
const SYSTEM_MOUNTS: readonly OciMount[] = [
  system("/proc", "proc", "proc", "nosuid noexec nodev"),
  system("/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k"),
  system("/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5"),
  system("/sys", "sysfs", "sysfs", "nosuid noexec nodev ro"),
  system("/sys/fs/cgroup", "cgroup", "cgroup", "ro nosuid noexec nodev relatime"),
  system("/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev"),
  system("/dev/shm", "tmpfs", "shm", `nosuid noexec nodev mode=1777 size=${SHM_SIZE_BYTES}`),
];

/**
 * Everything mounted into a container, outer paths before those inside them.
 *
 * What the container asks for replaces what it would have got at the same path.
 *
 * @param fileMounts of files that nothing else may hide.
 * @throws {ClusterError} InvalidArgument for a target that is not absolute, is `/`, or is there twice.
 */
export function planMounts(
  asked: readonly ResolvedMount[],
  files: NetworkFiles,
  initPath: string,
  fileMounts: readonly OciMount[] = [],
): OciMount[] {
  const mounts = new Map<string, OciMount>();
  for (const mount of SYSTEM_MOUNTS) mounts.set(mount.destination, mount);
  for (const [target, source] of [
    ["/etc/hostname", files.hostname],
    ["/etc/hosts", files.hosts],
    ["/etc/resolv.conf", files.resolvConf],
  ] as const)
    mounts.set(target, bind(source, target, ["rbind", "rprivate", "rw"]));
  if (initPath !== "")
    mounts.set(INIT_TARGET, bind(initPath, INIT_TARGET, ["bind", "rprivate", "ro"]));

  const seen = new Set<string>();
  for (const mount of asked) {
    const target = normalizePath(mount.target, "mount target");
    if (target === "/") throw refusal(mount.target, "the container's root cannot be mounted over");
    if (seen.has(target)) throw refusal(mount.target, "it is there twice");
    seen.add(target);
    mounts.set(target, mount.type === "tmpfs" ? tmpfs(mount, target) : bindOf(mount, target));
  }
  for (const mount of fileMounts) {
    const target = normalizePath(mount.destination, "target of a file");
    if (seen.has(target)) throw refusal(target, "it is there twice");
    seen.add(target);
    mounts.set(target, { ...mount, destination: target });
  }
  return [...mounts.values()].sort((a, b) => depth(a.destination) - depth(b.destination));
}

/** Where the init program is put in a container. Source: moby, DockerInitBinary. */
export const INIT_TARGET = "/sbin/docker-init";

function system(destination: string, type: string, source: string, options: string): OciMount {
  return { destination, type, source, options: options.split(" ") };
}

function bind(source: string, destination: string, options: readonly string[]): OciMount {
  return { destination, type: "bind", source, options };
}

function bindOf(mount: ResolvedMount, target: string): OciMount {
  const propagation = mount.propagation === "" ? "rprivate" : mount.propagation;
  if (!PROPAGATIONS.includes(propagation))
    throw refusal(mount.target, `no propagation is called ${JSON.stringify(propagation)}`);
  return bind(mount.hostPath, target, ["rbind", propagation, mount.readOnly ? "ro" : "rw"]);
}

function tmpfs(mount: ResolvedMount, target: string): OciMount {
  const options = ["nosuid", "nodev", "noexec", mount.readOnly ? "ro" : "rw"];
  if (mount.tmpfsSizeBytes > 0) options.push(`size=${mount.tmpfsSizeBytes}`);
  options.push(`mode=${(mount.tmpfsMode === 0 ? 0o1777 : mount.tmpfsMode).toString(8)}`);
  return { destination: target, type: "tmpfs", source: "tmpfs", options };
}

function depth(path: string): number {
  return path.split("/").length;
}

function refusal(target: string, reason: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid mount target ${JSON.stringify(target.slice(0, 200))}: ${reason}`,
  );
}
