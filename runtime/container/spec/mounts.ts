import { ClusterError } from "../../../core/errors.ts";
import type { ContainerConfig, PreparedMount, ResolvedMount } from "../types.ts";
import { normalizePath } from "./container-path.ts";
import type { OciMount } from "./oci-spec.ts";
import type { HostFacts } from "./spec.ts";

/** Files of ours that a container sees unless it mounts something there itself. */
export interface NetworkFiles {
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
}

/** What a container has at /dev/shm: a file system of its own of so many bytes, one of the host's or of another's, none. */
export type SharedMemory =
  | { readonly kind: "own"; readonly sizeBytes: number }
  | { readonly kind: "shared"; readonly path: string }
  | { readonly kind: "none" };

export const SHM_SIZE_BYTES = 64 * 1024 * 1024;
/** What mount(8) takes for tmpfs; nothing that reaches another file system. */
const TMPFS_OPTION =
  /^(?:r[ow]|(?:no)?(?:suid|dev|exec|atime|diratime|symfollow)|(?:strict|rel)atime|(?:a)?sync|dirsync|(?:size|nr_blocks|nr_inodes)=\d{1,15}[kmgKMG%]?|mode=[0-7]{1,5}|(?:uid|gid)=\d{1,10}|mpol=[a-z]+(?:[:=][\w,-]+)*|(?:r)?(?:private|shared|slave|unbindable))$/;
const PROPAGATIONS = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/** What every Linux container has. Source: moby, daemon/pkg/oci/defaults.go; cgroups read-only: CVE-2023-25809. */
const SYSTEM_MOUNTS: readonly OciMount[] = [
  system("/proc", "proc", "proc", "nosuid noexec nodev"),
  system("/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k"),
  system("/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5"),
  system("/sys", "sysfs", "sysfs", "nosuid noexec nodev ro"),
  system("/sys/fs/cgroup", "cgroup", "cgroup", "ro nosuid noexec nodev relatime"),
  system("/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev"),
];
/** May be written by who has all privileges anyway. */
const WRITABLE_WITH_PRIVILEGES = new Set(["/sys", "/sys/fs/cgroup"]);

/** What `planMounts` plans from. */
export interface MountsInput {
  readonly config: Pick<ContainerConfig, "namespaces" | "security" | "readOnlyRootfs">;
  readonly mounts: readonly PreparedMount[];
  readonly files: NetworkFiles;
  readonly initPath: string;
  readonly shm: SharedMemory;
  /** Of files that nothing else may hide. */
  readonly fileMounts?: readonly OciMount[];
  readonly host: Pick<HostFacts, "canReadOnlyBelow">;
}

/**
 * Everything mounted into a container, outer paths before those inside them.
 *
 * What the container asks for replaces what it would have got at the same path.
 *
 * @throws {ClusterError} InvalidArgument for a target that is not absolute, is `/`, or is there twice.
 */
export function planMounts(input: MountsInput): OciMount[] {
  const { files, initPath, host, fileMounts = [] } = input;
  const mounts = new Map<string, OciMount>();
  for (const mount of [...planSystemMounts(input.config), ...planShm(input.shm)])
    mounts.set(mount.destination, mount);
  // As the files around them. Source: moby, container/container_unix.go, NetworkMounts.
  const access = input.config.readOnlyRootfs ? "ro" : "rw";
  for (const [target, source] of [
    ["/etc/hostname", files.hostname],
    ["/etc/hosts", files.hosts],
    ["/etc/resolv.conf", files.resolvConf],
  ] as const)
    mounts.set(target, bind(source, target, ["rbind", "rprivate", access]));
  if (initPath !== "")
    mounts.set(INIT_TARGET, bind(initPath, INIT_TARGET, ["bind", "rprivate", "ro"]));

  const seen = new Set<string>();
  for (const mount of input.mounts) {
    const target = normalizePath(mount.target, "mount target");
    if (target === "/")
      throw new ClusterError("InvalidArgument", "invalid specification: destination can't be '/'");
    if (seen.has(target)) throw refusal(mount.target, "it is there twice");
    seen.add(target);
    mounts.set(target, mount.type === "tmpfs" ? tmpfs(mount, target) : bindOf(mount, target, host));
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

function bindOf(mount: PreparedMount, target: string, host: MountsInput["host"]): OciMount {
  const propagation = mount.propagation === "" ? "rprivate" : mount.propagation;
  if (!PROPAGATIONS.includes(propagation))
    throw refusal(mount.target, `no propagation is called ${JSON.stringify(propagation)}`);
  const access = mount.readOnly ? readOnlyOf(mount, host) : ["rw"];
  // Nothing is below one that is not recursive; crun would take the `r` of the propagation for the bind's.
  const how =
    mount.nonRecursive === true ? ["bind", propagation.replace(/^r/, "")] : ["rbind", propagation];
  return bind(mount.hostPath, target, [...how, ...access]);
}

/** With what is mounted below it, where kernel and runtime can. Source: moby, daemon/oci_linux.go. */
function readOnlyOf(
  { readOnlyDepth, target, isFile }: PreparedMount,
  host: MountsInput["host"],
): string[] {
  // Nothing is below a file; crun fails where it is to look there.
  if (readOnlyDepth === "top" || isFile === true) return ["ro"];
  if (host.canReadOnlyBelow) return ["ro", "rro"];
  if (readOnlyDepth !== "all") return ["ro"];
  throw refusal(target, "it cannot be read-only with what is mounted below it on this machine");
}

function tmpfs(mount: ResolvedMount, target: string): OciMount {
  const given = mount.tmpfsOptions ?? [];
  const bad = given.find((option) => !TMPFS_OPTION.test(option));
  if (bad !== undefined)
    throw new ClusterError(
      "InvalidArgument",
      `invalid tmpfs option [${JSON.stringify(bad.slice(0, 40))}]`,
    );
  const names = new Set(given.map((option) => option.replace(/=.*$/, "")));
  const options = ["nosuid", "nodev", "noexec"].filter((name) => !names.has(name.slice(2)));
  options.push(mount.readOnly ? "ro" : "rw");
  if (mount.tmpfsSizeBytes > 0) options.push(`size=${mount.tmpfsSizeBytes}`);
  if (mount.tmpfsMode !== 0 || !names.has("mode"))
    options.push(`mode=${(mount.tmpfsMode === 0 ? 0o1777 : mount.tmpfsMode).toString(8)}`);
  options.push(...given.filter((option) => !options.includes(option)));
  return { destination: target, type: "tmpfs", source: "tmpfs", options };
}

/** The root must let through what a mount inside it is to share. Source: moby, daemon/oci_linux.go, WithMounts. */
export function planRootPropagation(mounts: readonly ResolvedMount[]): string {
  const wanted = mounts.map(({ propagation }) => propagation);
  if (wanted.some((propagation) => /shared$/.test(propagation))) return "shared";
  if (wanted.some((propagation) => /slave$/.test(propagation))) return "rslave";
  return "";
}

function planSystemMounts({ namespaces, security }: MountsInput["config"]): OciMount[] {
  return SYSTEM_MOUNTS.filter(({ type }) => type !== "mqueue" || namespaces.ipc !== "none").map(
    (mount) => {
      if (!security.privileged || !WRITABLE_WITH_PRIVILEGES.has(mount.destination)) return mount;
      return { ...mount, options: mount.options.filter((option) => option !== "ro") };
    },
  );
}

function planShm(shm: SharedMemory): OciMount[] {
  switch (shm.kind) {
    case "none":
      return [];
    case "shared":
      return [bind(shm.path, "/dev/shm", ["rbind", "rprivate", "rw"])];
    case "own":
      return [
        system("/dev/shm", "tmpfs", "shm", `nosuid noexec nodev mode=1777 size=${shm.sizeBytes}`),
      ];
  }
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
