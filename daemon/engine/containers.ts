import { hostname } from "node:os";
import type {
  ContainerBackend,
  ContainerFacts,
  ContainerRequest,
} from "../../api/backends/containers.ts";
import { ClusterError } from "../../core/errors.ts";
import { attributesOf } from "../../runtime/container/container-events.ts";
import { parseSignal } from "../../runtime/container/signals.ts";
import { shownPaths } from "../../runtime/container/spec/confinement.ts";
import { cgroupModeOf } from "../../runtime/container/spec/namespaces.ts";
import type {
  Container,
  ContainerConfig,
  ContainerId,
  MachineContainers,
  NetworkMode,
} from "../../runtime/container/types.ts";
import type { EventSink } from "../../runtime/events/types.ts";
import type { Image, Images } from "../../runtime/image/types.ts";
import { diskUsage } from "../../runtime/linux/disk-usage.ts";
import { dnsNames } from "../../runtime/network/plan/dns-names.ts";
import {
  DEFAULT_NETWORK,
  type EndpointConfig,
  type LocalNetworkView,
  plainEndpoint,
} from "../../runtime/network/types.ts";
import type { EngineParts } from "../../runtime/types.ts";
import { findBareRun } from "./bare-run.ts";
import { checkKnown } from "./local-networks.ts";
import { listProcesses } from "./processes.ts";
import { waitFor } from "./wait.ts";

const SHORT_ID_LENGTH = 12;
const NO_INTERFACE = { address: "", prefixLength: 0, gateway: "", ipv6: undefined, mac: "" };

type ImageFinder = Pick<Images, "get">;

/** This machine's containers as the API needs them. */
export function newContainers(
  engine: Pick<EngineParts, "abilities" | "networks" | "ports"> & {
    readonly containers: MachineContainers;
    readonly images: ImageFinder;
    readonly events: EventSink;
  },
): ContainerBackend {
  const { containers, images } = engine;
  const factsOf = (container: Container) => toFacts(container, engine);
  const idOf = (id: string) => id as ContainerId;
  return {
    listContainers: () => containers.list().map(factsOf),
    containerNames: () => containers.list().map(({ id, config }) => ({ id, name: config.name })),
    getContainer: (id) => factsOf(containers.get(idOf(id))),
    createContainer: async (request) => {
      checkKnown(engine.networks, request.endpoints);
      return (await containers.create(toConfig(request, images))).id;
    },
    startContainer: async (id) => containers.start(idOf(id)),
    stopContainer: async (id, signal, timeoutMs) =>
      containers.stop(idOf(id), stopOptions(signal, timeoutMs)),
    restartContainer: async (id, signal, timeoutMs) =>
      containers.restart(idOf(id), stopOptions(signal, timeoutMs)),
    killContainer: async (id, signal) => containers.kill(idOf(id), signal),
    checkSignal: (signal) => void parseSignal(signal),
    pauseContainer: async (id) => containers.pause(idOf(id)),
    unpauseContainer: async (id) => containers.unpause(idOf(id)),
    renameContainer: async (id, name) => containers.rename(idOf(id), name),
    updateContainer: async (id, change) => containers.update(idOf(id), change),
    removeContainer: async (id, options) => containers.remove(idOf(id), options),
    waitForContainer: async (id, condition, signal) =>
      waitFor(containers, idOf(id), condition, signal),
    containerLogs: (id, query, signal) => readLogs(containers, idOf(id), { ...query, signal }),
    resizeContainer: (id, size) => containers.resize(idOf(id), size),
    attachContainer: (id) => containers.attach(idOf(id)),
    async containerProcesses(id, psArgs) {
      const processes = await listProcesses(containers.pidsOf(idOf(id)), psArgs);
      const attributes = attributesOf(containers.get(idOf(id)));
      engine.events.publish({ type: "container", action: "top", actorId: id, attributes });
      return processes;
    },
    async containerSizes(id) {
      const { imageId } = containers.get(idOf(id));
      const writtenBytes = await diskUsage(containers.filesOf(idOf(id)).rootfs.upperDir);
      return { writtenBytes, rootfsBytes: writtenBytes + sizeOf(images, imageId) };
    },
    findImageId: (name) => findImage(images, name)?.id,
    abilities: () => engine.abilities,
  };
}

function stopOptions(
  signal: string,
  timeoutMs: number | undefined,
): { readonly signal?: string; readonly timeoutMs?: number } {
  return {
    ...(signal === "" ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

async function* readLogs(
  containers: MachineContainers,
  ...[id, query]: Parameters<MachineContainers["logs"]>
): ReturnType<ContainerBackend["containerLogs"]> {
  for await (const { time, stderr, data } of containers.logs(id, query))
    yield { timestamp: time, stderr, data };
}

function toFacts(
  container: Container,
  {
    containers,
    networks,
    ports,
    abilities,
  }: Pick<EngineParts, "networks" | "ports" | "abilities"> & {
    readonly containers: MachineContainers;
  },
): ContainerFacts {
  const { config, imageConfig: image } = container;
  return {
    ...container,
    settings: config,
    networkMode: wireNetworkMode(config.network),
    hostname: config.hostname || ownName(container),
    cgroupMode: cgroupModeOf(config, abilities.cgroupKind),
    ...shownPaths(config.security),
    image,
    execIds: containers.execs.execIdsOf(container.id),
    files: containers.filesOf(container.id),
    publishedPorts: ports.publishedPorts(container.id),
    networks: toNetworkFacts(container, networks),
    ...sandboxOf(container, networks),
  };
}

function sandboxOf(
  container: Container,
  networks: LocalNetworkView,
): Pick<ContainerFacts, "namespacePath" | "sandbox"> {
  if (networks.findAttachment(container.id) === undefined) {
    const { sandboxId = "", sandboxPath = "" } = findBareRun(container) ?? {};
    return { namespacePath: "", sandbox: { id: sandboxId, path: sandboxPath } };
  }
  const path = networks.namespacePath(container.id);
  return { namespacePath: path, sandbox: { id: container.id, path } };
}

function ownName({ id, config }: Container): string {
  return config.network.kind === "host" ? hostname() : id.slice(0, SHORT_ID_LENGTH);
}

function wireNetworkMode(network: NetworkMode): string {
  switch (network.kind) {
    case "host":
    case "none":
      return network.kind;
    case "local":
      return network.network;
    case "container":
      return `container:${network.id}`;
    case "namespace":
      return "default";
  }
}

/** @throws {ClusterError} NotFound with Docker's words. */
function toConfig(
  { settings, networkMode, endpoints, platform }: ContainerRequest,
  images: ImageFinder,
): ContainerConfig {
  const image = findImage(images, settings.image);
  if (image === undefined) throw noSuchImage(settings.image);
  checkPlatform(image, settings.image, platform);
  return {
    ...settings,
    network: toNetwork(networkMode, endpoints),
    resolvConf: undefined,
    addresses: [],
  };
}

/** What a mode of the API means here; a network by its name, unless more is said. */
export function toNetwork(
  mode: string,
  endpoints: readonly EndpointConfig[] = [plainEndpoint(mode)],
): NetworkMode {
  if (mode === "default") return toNetwork(DEFAULT_NETWORK);
  if (mode === "host" || mode === "none") return { kind: mode };
  const [, id] = /^container:(.*)$/.exec(mode) ?? [];
  if (id !== undefined) return { kind: "container", id };
  return { kind: "local", network: mode, endpoints };
}

/** Its part of this machine's networks: while it runs, and what it asked for before and after. */
function toNetworkFacts(
  container: Container,
  networks: LocalNetworkView,
): ContainerFacts["networks"] {
  const { id, config } = container;
  const { network, name, hostname } = config;
  const asked = askedOf(network);
  const bare = findBareRun(container);
  const attached = networks.findAttachment(id)?.endpoints ?? [];
  return asked.map((settings) => ({
    settings,
    networkId: networks.list().find((one) => one.name === settings.network)?.id ?? "",
    dnsNames: dnsNames({ name, hostname, containerId: id }, settings.network, settings.aliases),
    endpoint:
      bare === undefined
        ? attached.find(({ networkName }) => networkName === settings.network)
        : { ...NO_INTERFACE, id: bare.endpointId },
  }));
}

/** Docker speaks of networks also where a container has none of its own. */
function askedOf(network: NetworkMode): readonly EndpointConfig[] {
  switch (network.kind) {
    case "local":
      return network.endpoints;
    case "host":
    case "none":
      return [plainEndpoint(network.kind)];
    case "container":
    case "namespace":
      return [];
  }
}

function checkPlatform({ platform }: Image, name: string, wanted: string): void {
  const [os = "", architecture = "", variant = ""] = wanted.split("/");
  const isSame =
    (os === "" || os === platform.os) &&
    (architecture === "" || architecture === platform.architecture) &&
    (variant === "" || platform.variant === "" || variant === platform.variant);
  if (isSame) return;
  const has = [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
  throw new ClusterError(
    "NotFound",
    `image with reference ${name} was found but its platform (${has}) does not match the specified platform (${wanted})`,
  );
}

function findImage(images: ImageFinder, name: string): Image | undefined {
  try {
    return images.get(name);
  } catch (error) {
    if (error instanceof ClusterError && error.code === "NotFound") return undefined;
    throw error;
  }
}

/** Clients pull the image and try again when they read this. */
function noSuchImage(name: string): ClusterError {
  const last = name.slice(name.lastIndexOf("/") + 1);
  const tagged = /[:@]/.test(last) ? name : `${name}:latest`;
  return new ClusterError("NotFound", `No such image: ${tagged}`);
}

/** The image may be gone: then only what the container wrote is known. */
function sizeOf(images: ImageFinder, imageId: string): number {
  return findImage(images, imageId)?.sizeBytes ?? 0;
}
