import { mkdirSync, rmSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { DEFAULT_LOG_TAG, expandLogTag } from "../../core/log-tag.ts";
import type { EventSink } from "../events/types.ts";
import type { Images } from "../image/types.ts";
import type { Cgroups } from "../linux/cgroups.ts";
import { makeFifo } from "../linux/descriptors.ts";
import { findProcess, type ProcessRef } from "../linux/process.ts";
import type { LocalNetworks } from "../network/local-networks.ts";
import { type LinkedPeer, planLinks, planLinkUpdates } from "../network/plan/links.ts";
import { parsePorts, uniquePorts, wantedBindings } from "../network/ports/port-choice.ts";
import type { PublishedPorts } from "../network/ports/published-ports.ts";
import { addressesOf, DEFAULT_NETWORK } from "../network/types.ts";
import type { LocalVolumes } from "../volume/local-volumes.ts";
import { type BundleHost, writeBundle } from "./bundle.ts";
import { type ConmonLife, startConmon, watchConmon } from "./conmon.ts";
import { planConmonArgs } from "./conmon-args.ts";
import { makeContainerFiles } from "./container-files.ts";
import { planLinkEnvironment } from "./link-environment.ts";
import { planLogLimits } from "./log/log-files.ts";
import { makeMountPoints } from "./mount-points.ts";
import { type Attached, moveInHosts } from "./network-files.ts";
import type { OciRuntimes } from "./oci-runtimes.ts";
import { type ContainerPaths, containerPaths, exitDir, type Roots } from "./paths.ts";
import type { FindPeer } from "./peer.ts";
import type { ContainerRecord } from "./record.ts";
import { prepareMounts } from "./run-mounts.ts";
import type { InputMode } from "./stream/run-streams.ts";
import type { ContainerConfig, ContainerFile, ContainerId } from "./types.ts";

/** This machine as containers need it. */
export interface ContainerHost {
  readonly roots: Roots;
  readonly runtimes: OciRuntimes;
  readonly conmonPath: string;
  readonly cgroups: Cgroups;
  readonly images: Pick<
    Images,
    "get" | "prepareRootfs" | "mountRootfs" | "unmountRootfs" | "removeRootfs"
  >;
  readonly volumes: LocalVolumes;
  readonly networks: Pick<
    LocalNetworks,
    | "attach"
    | "attachments"
    | "detach"
    | "connect"
    | "disconnect"
    | "list"
    | "findAttachment"
    | "list"
    | "rename"
    | "namespacePath"
    | "wayInto"
  >;
  readonly ports: Pick<PublishedPorts, "publish" | "unpublish" | "publishedPorts">;
  readonly facts: Omit<BundleHost, "canReadOnlyBelow">;
  /** Where it is said what happens to containers. */
  readonly events: EventSink;
  readonly clock: Clock;
}

/** A container made by the runtime whose first process waits to be released. */
export interface CreatedRun {
  readonly process: ProcessRef;
  readonly conmon: ConmonLife;
}

/**
 * Makes everything of a container's run up to its first process.
 *
 * @throws {ClusterError} InvalidArgument (configuration), Internal (the runtime's words). What was made stays: clear it.
 */
export async function createRun(
  record: ContainerRecord,
  files: readonly ContainerFile[],
  host: ContainerHost,
  findPeer: FindPeer,
): Promise<CreatedRun> {
  const paths = containerPaths(host.roots, record.id);
  void host.cgroups.expectMove();
  mkdirSync(paths.bundle, { recursive: true, mode: 0o700 });
  // One of an earlier run would be taken for this run's.
  rmSync(paths.exitFile, { force: true });
  makeFifo(paths.lifeFifo);
  const conmon = watchConmon(paths);
  try {
    const program = { path: host.conmonPath, args: conmonArgs(record, paths, host) };
    // On another processor it gets ready while the bundle is made.
    const waiting = startConmon(paths, program);
    try {
      await makeBundle(record, files, { paths, host, findPeer });
    } catch (error) {
      await waiting.abandon();
      throw error;
    }
    const pid = await waiting.create(host.cgroups, host.clock);
    return { process: processOf(pid, record), conmon };
  } catch (error) {
    conmon.unwatch();
    throw error;
  }
}

/** Mounts the root file system and all that comes from outside, joins the networks, and writes down what the runtime needs. */
async function makeBundle(
  record: ContainerRecord,
  files: readonly ContainerFile[],
  at: {
    readonly paths: ContainerPaths;
    readonly host: ContainerHost;
    readonly findPeer: FindPeer;
  },
): Promise<void> {
  const { paths, host, findPeer } = at;
  await host.images.mountRootfs(record.rootfs);
  const attached = attach(record, host, findPeer);
  const mounts = await prepareMounts(record, paths, host);
  makeMountPoints(record.rootfs.merged, mounts);
  const fileMounts = await makeContainerFiles(files, paths.filesDir);
  const { canReadOnlyBelow } = host.runtimes.get(record.config.runtime);
  writeBundle({ ...record, mounts }, paths, {
    cgroupsPath: host.cgroups.groupOf(record.id),
    fileMounts,
    host: { ...host.facts, canReadOnlyBelow },
    findPeer,
    surroundings: { attached, hostAddress: hostAddressOf(host) },
  });
}

/** A terminal is never closed: it has its own ways to say that there is no more. */
export function inputModeOf({ openStdin, stdinOnce, tty }: ContainerConfig): InputMode {
  return { isOpen: openStdin, endsWithClient: openStdin && stdinOnce && !tty };
}

/** Gives it its part of this machine's networks and ports; one whose networks are others' or none has no part. */
function attach(
  { id, config, imageConfig }: ContainerRecord,
  { networks, ports, roots }: ContainerHost,
  findPeer: FindPeer,
): Attached | undefined {
  if (config.network.kind !== "local") return undefined;
  const { endpoints: asked } = config.network;
  const links = planLinks(config.name, asked, networks.attachments());
  const { endpoints, dnsPorts } = networks.attach(id, {
    name: config.name,
    hostname: config.hostname,
    resolvers: config.dns.servers,
    endpoints: asked,
  });
  for (const one of planLinkUpdates(id, networks.attachments()))
    moveInHosts(containerPaths(roots, one.containerId as ContainerId), one.alias, one.address);
  const wanted = wantedBindings(config.ports, parsePorts(imageConfig.exposedPorts));
  ports.publish({ id, name: config.name }, networks.wayInto(id), wanted);
  return {
    gateway: endpoints.find((endpoint) => endpoint.gateway !== "")?.gateway ?? "",
    namespace: networks.namespacePath(id),
    addresses: endpoints.flatMap(addressesOf),
    linkLines: links.map(({ line }) => line),
    linkEnv: links.flatMap((link) => linkEnvironment(config.name, link, findPeer)),
    hasNames: dnsPorts !== undefined,
  };
}

function hostAddressOf({ networks }: ContainerHost): string {
  const found = networks.list().find(({ name }) => name === DEFAULT_NETWORK);
  return found?.ipv4?.gateway ?? "";
}

function linkEnvironment(own: string, link: LinkedPeer, findPeer: FindPeer): string[] {
  const { alias, address } = link;
  const { config, imageConfig } = findPeer(link.containerId);
  const ports = uniquePorts([...config.ports.exposed, ...parsePorts(imageConfig.exposedPorts)]);
  const nameOf = (entry: string) => entry.split("=", 1)[0];
  const said = new Set(config.env.map(nameOf));
  const env = [...config.env, ...imageConfig.env.filter((entry) => !said.has(nameOf(entry)))];
  return planLinkEnvironment({ own, alias, address, ports, env });
}

function conmonArgs(record: ContainerRecord, paths: ContainerPaths, host: ContainerHost): string[] {
  const runtime = host.runtimes.get(record.config.runtime);
  return planConmonArgs({
    id: record.id,
    name: record.config.name,
    logTag: logTagOf(record),
    paths,
    runtimePath: runtime.path,
    runtimeRoot: runtime.root,
    exitDir: exitDir(host.roots),
    log: planLogLimits(record.config.log),
    tty: record.config.tty,
    input: inputModeOf(record.config),
  });
}

function logTagOf({ id, config, imageId }: ContainerRecord): string {
  const { name, image: imageName, log } = config;
  return expandLogTag(log.options.tag ?? DEFAULT_LOG_TAG, { id, name, imageName, imageId });
}

function processOf(pid: number, record: ContainerRecord): ProcessRef {
  const process = findProcess(pid);
  if (process !== undefined) return process;
  throw new ClusterError(
    "Internal",
    `cannot start container ${record.config.name}: its first process ended before it was released`,
  );
}
