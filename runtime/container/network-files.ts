import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { parseResolvConf, renderResolvConf } from "../network/dns/resolv-conf.ts";
import {
  namesOf,
  planHosts,
  withHostGateway,
  withHosts,
  withMovedName,
  withoutHosts,
} from "./hosts.ts";
import type { ContainerPaths } from "./paths.ts";
import type { ContainerRecord } from "./record.ts";
import { planResolvConf, reachableResolvers } from "./resolv-conf.ts";
import type { NetworkFiles } from "./spec/mounts.ts";

/** What a container that starts has of this machine's networks. */
export interface Attached {
  /** Where it reaches this machine; empty: nowhere. */
  readonly gateway: string;
  /** Path of its network namespace. */
  readonly namespace: string;
  /** Without prefix length. */
  readonly addresses: readonly string[];
  /** Lines of /etc/hosts for others it is linked to. */
  readonly linkLines: readonly string[];
  /** What its environment says of them. */
  readonly linkEnv: readonly string[];
  /** It has a name server of its own. */
  readonly hasNames: boolean;
}

/** Where a container that starts is. */
export interface Surroundings {
  readonly attached: Attached | undefined;
  /** This machine's in the default network: `host-gateway` is it where no network of the container's leads out. */
  readonly hostAddress: string;
}

const LOOPBACK = "127.0.0.1";
/** A container writes into its file as it likes; what is longer stays as it is. */
const HOSTS_BYTES_MAX = 1024 * 1024;

/** Where a container's network files are while it runs. */
export function networkFilesOf(paths: ContainerPaths): NetworkFiles {
  return {
    hostname: `${paths.bundle}/hostname`,
    hosts: `${paths.bundle}/hosts`,
    resolvConf: `${paths.bundle}/resolv.conf`,
  };
}

export function writeNetworkFiles(
  record: ContainerRecord,
  paths: ContainerPaths,
  hostname: string,
  { attached, hostAddress }: Surroundings,
): NetworkFiles {
  const { resolvConf, network, domainname } = record.config;
  const way = attached === undefined || attached.gateway === "" ? hostAddress : attached.gateway;
  const gateway = network.kind === "host" ? LOOPBACK : way;
  const extraHosts = withHostGateway(record.config.extraHosts, gateway);
  const addresses = attached?.addresses ?? record.config.addresses;
  const files = networkFilesOf(paths);
  const hosts =
    network.kind === "host"
      ? [readFileSync("/etc/hosts", "utf8").trimEnd(), ...extraHosts, ""].join("\n")
      : planHosts(namesOf(hostname, domainname), addresses, [
          ...extraHosts,
          ...(attached?.linkLines ?? []),
        ]);
  writeFileSync(files.hostname, `${hostname}\n`);
  writeFileSync(files.hosts, hosts);
  writeFileSync(files.resolvConf, resolvConf ?? resolversOf(record, attached));
  return files;
}

/** A container that runs asks our name server from now on. */
export function useNameServer(record: ContainerRecord, paths: ContainerPaths): void {
  writeFileSync(networkFilesOf(paths).resolvConf, withNameServer(record));
}

/** A container that runs has addresses more. */
export function addToHosts(
  paths: ContainerPaths,
  names: string,
  addresses: readonly string[],
): void {
  rewriteHosts(paths, (text) => withHosts(text, names, addresses));
}

/** It has lost addresses. */
export function removeFromHosts(paths: ContainerPaths, addresses: readonly string[]): void {
  rewriteHosts(paths, (text) => withoutHosts(text, addresses));
}

/** One it is linked to has another address; no error when it is on its way out and has no file any more. */
export function moveInHosts(paths: ContainerPaths, name: string, address: string): void {
  if (!existsSync(networkFilesOf(paths).hosts)) return;
  rewriteHosts(paths, (text) => withMovedName(text, name, address));
}

/** In place: the container has the file itself, not its name. */
function rewriteHosts(paths: ContainerPaths, change: (text: string) => string): void {
  const { hosts } = networkFilesOf(paths);
  if (statSync(hosts).size > HOSTS_BYTES_MAX) return;
  writeFileSync(hosts, change(readFileSync(hosts, "utf8")));
}

function resolversOf(record: ContainerRecord, attached: Attached | undefined): string {
  if (attached?.hasNames === true) return withNameServer(record);
  const text = readHostResolvers();
  const { dns } = record.config;
  return planResolvConf(attached === undefined ? text : reachableResolvers(text), dns);
}

function withNameServer({ config }: ContainerRecord): string {
  return renderResolvConf(config.dns, parseResolvConf(readHostResolvers()));
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
