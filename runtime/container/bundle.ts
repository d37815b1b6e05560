import { readFileSync, writeFileSync } from "node:fs";
import { readInRoot } from "../linux/open-in-root.ts";
import { planHosts } from "./hosts.ts";
import type { ContainerPaths } from "./paths.ts";
import type { ContainerRecord } from "./record.ts";
import type { NetworkFiles } from "./spec/mounts.ts";
import type { OciMount } from "./spec/oci-spec.ts";
import { type HostFacts, planSpec } from "./spec/spec.ts";
import { type ContainerUser, planUser } from "./spec/user.ts";

/** What of this machine goes into a bundle. */
export interface BundleHost extends HostFacts {
  readonly hostname: string;
  /** Path of the init program. */
  readonly initPath: string;
}

/** An image's account files are untrusted and may have any length. */
const ACCOUNT_FILE_BYTES_MAX = 1024 * 1024;
const SHORT_ID_LENGTH = 12;

/**
 * Writes what the runtime and the container read: the specification and the network files. The root file system must be
 * mounted and the bundle's directory be there.
 *
 * At once, not through the thread pool: these are a few KiB on tmpfs, and each trip costs more than the write.
 *
 * @throws {ClusterError} InvalidArgument for what cannot be in the container's configuration.
 */
export function writeBundle(
  record: ContainerRecord,
  paths: ContainerPaths,
  parts: {
    readonly cgroupsPath: string;
    /** Of the files that are not in the bundle. */
    readonly fileMounts: readonly OciMount[];
    readonly host: BundleHost;
  },
): void {
  const { cgroupsPath, fileMounts, host } = parts;
  const hostname = hostnameOf(record, host);
  const spec = planSpec({
    config: record.config,
    image: record.imageConfig,
    hostname,
    user: lookUpUser(record),
    rootfs: record.rootfs.merged,
    mounts: record.mounts,
    files: writeNetworkFiles(record, paths, hostname),
    fileMounts,
    initPath: record.config.init ? host.initPath : "",
    cgroupsPath,
    host,
  });
  writeFileSync(`${paths.bundle}/config.json`, JSON.stringify(spec), { mode: 0o600 });
}

function hostnameOf(record: ContainerRecord, host: BundleHost): string {
  if (record.config.hostname !== "") return record.config.hostname;
  return record.config.network.kind === "host"
    ? host.hostname
    : record.id.slice(0, SHORT_ID_LENGTH);
}

function lookUpUser(record: ContainerRecord): ContainerUser {
  const { config, imageConfig, rootfs } = record;
  const read = (path: string) =>
    readInRoot(rootfs.merged, path, ACCOUNT_FILE_BYTES_MAX)?.toString("utf8") ?? "";
  return planUser(config.user === "" ? imageConfig.user : config.user, config.groups, {
    passwd: read("/etc/passwd"),
    group: read("/etc/group"),
  });
}

function writeNetworkFiles(
  record: ContainerRecord,
  paths: ContainerPaths,
  hostname: string,
): NetworkFiles {
  const { addresses, extraHosts, resolvConf } = record.config;
  const files = {
    hostname: `${paths.bundle}/hostname`,
    hosts: `${paths.bundle}/hosts`,
    resolvConf: `${paths.bundle}/resolv.conf`,
  };
  writeFileSync(files.hostname, `${hostname}\n`);
  writeFileSync(files.hosts, planHosts(hostname, addresses, extraHosts));
  writeFileSync(files.resolvConf, resolvConf ?? readFileSync("/etc/resolv.conf"));
  return files;
}
