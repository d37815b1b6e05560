import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import { mountSharedMemory } from "../linux/mount.ts";
import { readInRoot } from "../linux/open-in-root.ts";
import { findCdiEdits } from "./cdi/cdi-files.ts";
import type { CdiEdits } from "./cdi/cdi-spec.ts";
import { allDevices, blockDeviceNumbers, findDevices } from "./host-devices.ts";
import { planHosts } from "./hosts.ts";
import type { ContainerPaths } from "./paths.ts";
import { type FindPeer, findJoined, type Peer } from "./peer.ts";
import type { ContainerRecord } from "./record.ts";
import { planResolvConf, reachableResolvers } from "./resolv-conf.ts";
import { joinedContainer } from "./settings.ts";
import type { HostDevice } from "./spec/devices.ts";
import { type NetworkFiles, SHM_SIZE_BYTES, type SharedMemory } from "./spec/mounts.ts";
import type { OciMount } from "./spec/oci-spec.ts";
import { type HostFacts, planSpec } from "./spec/spec.ts";
import { type ContainerUser, planUser } from "./spec/user.ts";
import type { ContainerConfig } from "./types.ts";

/** What of this machine goes into a bundle. */
export interface BundleHost extends HostFacts {
  readonly hostname: string;
  /** Path of the init program. */
  readonly initPath: string;
}

/** What a container that starts has of this machine's networks. */
export interface Attached {
  /** Path of its network namespace. */
  readonly namespace: string;
  /** Without prefix length. */
  readonly addresses: readonly string[];
  /** Lines of /etc/hosts for others it is linked to. */
  readonly linkLines: readonly string[];
}

/** An image's account files are untrusted and may have any length. */
const ACCOUNT_FILE_BYTES_MAX = 1024 * 1024;
const SHORT_ID_LENGTH = 12;
const HOST_SHM = "/dev/shm";

/**
 * Writes what the runtime and the container read: the specification and the network files. The root file system must be
 * mounted and the bundle's directory be there.
 *
 * At once, not through the thread pool: these are a few KiB on tmpfs, and each trip costs more than the write.
 *
 * @throws {ClusterError} InvalidArgument for what cannot be in the container's configuration; FailedPrecondition when a
 *   container it joins does not run.
 */
export function writeBundle(
  record: ContainerRecord,
  paths: ContainerPaths,
  parts: {
    readonly cgroupsPath: string;
    /** Of the files that are not in the bundle. */
    readonly fileMounts: readonly OciMount[];
    readonly host: BundleHost;
    readonly findPeer: FindPeer;
    readonly attached: Attached | undefined;
  },
): void {
  const { cgroupsPath, fileMounts, host, findPeer, attached } = parts;
  const { config } = record;
  // First: nothing can be read of a container that does not run.
  const joined = {
    ...findJoined(config, findPeer),
    ...(attached === undefined ? {} : { network: attached.namespace }),
  };
  const network = config.network.kind === "container" ? findPeer(config.network.id) : undefined;
  const hostname = hostnameOf(record, host, network);
  const edits = findCdiEdits(config.devices.cdi);
  const spec = planSpec({
    config,
    image: record.imageConfig,
    hostname,
    user: lookUpUser(record, record.rootfs.merged),
    rootfs: record.rootfs.merged,
    mounts: record.mounts,
    files:
      network === undefined
        ? writeNetworkFiles(record, paths, hostname, attached)
        : filesOf(network),
    fileMounts,
    initPath: config.init ? host.initPath : "",
    cgroupsPath,
    devices: devicesOf(config, edits),
    edits,
    deviceNumbers: blockDeviceNumbers,
    joined,
    shm: makeShm(config, paths, findPeer),
    host,
  });
  writeFileSync(`${paths.bundle}/config.json`, JSON.stringify(spec), { mode: 0o600 });
}

function hostnameOf(record: ContainerRecord, host: BundleHost, network: Peer | undefined): string {
  const { id, config } = record;
  if (network !== undefined) return readFileSync(filesOf(network).hostname, "utf8").trim();
  if (config.namespaces.uts === "host") return host.hostname;
  if (config.hostname !== "") return config.hostname;
  return config.network.kind === "host" ? host.hostname : id.slice(0, SHORT_ID_LENGTH);
}

function devicesOf({ devices, security }: ContainerConfig, edits: CdiEdits): HostDevice[] {
  const ofVendors = edits.deviceNodes.map(({ path, hostPath, permissions }) => ({
    hostPath,
    containerPath: path,
    permissions,
  }));
  const asked = [...devices.devices, ...ofVendors].flatMap(findDevices);
  if (!security.privileged) return asked;
  const paths = new Set(asked.map(({ path }) => path));
  return [...asked, ...allDevices().filter(({ path }) => !paths.has(path))];
}

/** Memory that others may join is mounted in the bundle: it is theirs by its path. */
function makeShm(config: ContainerConfig, paths: ContainerPaths, findPeer: FindPeer): SharedMemory {
  const { ipc } = config.namespaces;
  const sizeBytes = config.shmSizeBytes === 0 ? SHM_SIZE_BYTES : config.shmSizeBytes;
  if (ipc === "host") return { kind: "shared", path: HOST_SHM };
  if (ipc === "none") return { kind: "none" };
  const joined = joinedContainer(ipc);
  if (joined !== undefined) return { kind: "shared", path: shareableShm(findPeer(joined)) };
  if (ipc !== "shareable") return { kind: "own", sizeBytes };
  mkdirSync(paths.shmDir, { recursive: true, mode: 0o700 });
  mountSharedMemory(paths.shmDir, sizeBytes);
  return { kind: "shared", path: paths.shmDir };
}

/** @throws {ClusterError} FailedPrecondition. Docker's words. */
function shareableShm({ name, config, paths }: Peer): string {
  if (config.namespaces.ipc === "shareable") return paths.shmDir;
  if (config.namespaces.ipc === "host") return HOST_SHM;
  throw new ClusterError(
    "FailedPrecondition",
    `can't join IPC of container ${name}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
}

/** Whom a container runs as. @param root where its root file system is. @throws {ClusterError} InvalidArgument. */
export function lookUpUser(
  { config, imageConfig }: Pick<ContainerRecord, "config" | "imageConfig">,
  root: string,
): ContainerUser {
  const read = (path: string) =>
    readInRoot(root, path, ACCOUNT_FILE_BYTES_MAX)?.toString("utf8") ?? "";
  return planUser(config.user === "" ? imageConfig.user : config.user, config.groups, {
    passwd: read("/etc/passwd"),
    group: read("/etc/group"),
  });
}

/** Where a container's network files are while it runs. */
export function networkFilesOf(paths: ContainerPaths): NetworkFiles {
  return {
    hostname: `${paths.bundle}/hostname`,
    hosts: `${paths.bundle}/hosts`,
    resolvConf: `${paths.bundle}/resolv.conf`,
  };
}

/** Who shares a network shares its names; those of a container that itself shares one are not its own. */
function filesOf({ paths }: Peer): NetworkFiles {
  return networkFilesOf(paths);
}

function writeNetworkFiles(
  record: ContainerRecord,
  paths: ContainerPaths,
  hostname: string,
  attached: Attached | undefined,
): NetworkFiles {
  const { extraHosts, resolvConf, network, dns } = record.config;
  const addresses = attached?.addresses ?? record.config.addresses;
  const files = networkFilesOf(paths);
  const hosts =
    network.kind === "host"
      ? [readFileSync("/etc/hosts", "utf8").trimEnd(), ...extraHosts, ""].join("\n")
      : planHosts(hostname, addresses, [...extraHosts, ...(attached?.linkLines ?? [])]);
  writeFileSync(files.hostname, `${hostname}\n`);
  writeFileSync(files.hosts, hosts);
  const ofHost = () => {
    const text = readHostResolvers();
    return planResolvConf(attached === undefined ? text : reachableResolvers(text), dns);
  };
  writeFileSync(files.resolvConf, resolvConf ?? ofHost());
  return files;
}

/** Where systemd-resolved keeps the servers it asks, when it serves this machine itself. */
const RESOLVED = "/run/systemd/resolve/resolv.conf";
const STUB = /^\s*nameserver\s+127\.0\.0\.53\s*$/m;

/** The host's, or what stands behind a stub that only the host reaches; a machine without the file has no name servers. */
function readHostResolvers(): string {
  if (!existsSync("/etc/resolv.conf")) return "";
  const text = readFileSync("/etc/resolv.conf", "utf8");
  return STUB.test(text) && existsSync(RESOLVED) ? readFileSync(RESOLVED, "utf8") : text;
}
