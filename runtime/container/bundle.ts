import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import { mountSharedMemory } from "../linux/mount.ts";
import { readInRoot } from "../linux/open-in-root.ts";
import { findCdiEdits } from "./cdi/cdi-files.ts";
import type { CdiEdits } from "./cdi/cdi-spec.ts";
import { allDevices, blockDeviceNumbers, findDevices } from "./host-devices.ts";
import { networkFilesOf, type Surroundings, writeNetworkFiles } from "./network-files.ts";
import type { ContainerPaths } from "./paths.ts";
import { type FindPeer, findJoined, type Peer } from "./peer.ts";
import type { ContainerRecord } from "./record.ts";
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
    readonly surroundings: Surroundings;
  },
): void {
  const { cgroupsPath, fileMounts, host, findPeer, surroundings } = parts;
  const { attached } = surroundings;
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
    linkEnv: attached?.linkEnv ?? [],
    hostname,
    user: lookUpUser(record, record.rootfs.merged),
    rootfs: record.rootfs.merged,
    mounts: record.mounts,
    files:
      network === undefined
        ? writeNetworkFiles(record, paths, hostname, surroundings)
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

/** Who shares a network shares its names; those of a container that itself shares one are not its own. */
function filesOf({ paths }: Peer): NetworkFiles {
  return networkFilesOf(paths);
}
