import type { ContainerSettings, HealthSettings } from "../../backends/container-settings.ts";
import type { ContainerFacts, ContainerImage } from "../../backends/containers.ts";
import { writeExtraHosts, writeRestartPolicy } from "./host-config.ts";
import { exposedPorts, writeExposedPorts, writePortBindings } from "./ports.ts";
import { writeLimits } from "./resources.ts";
import { writeSecurityOptions } from "./security.ts";

/** Docker's Config and HostConfig of a container there is. */

const NANOS_PER_MS = 1e6;
const SHM_SIZE_BYTES = 64 * 1024 * 1024;

/** The program and its arguments: the container's, else the image's. */
export function commandOf(
  settings: Pick<ContainerSettings, "entrypoint" | "command">,
  image: Pick<ContainerImage, "entrypoint" | "cmd">,
): { readonly entrypoint: readonly string[]; readonly cmd: readonly string[] } {
  const { entrypoint, command } = settings;
  const isOwn = entrypoint.length > 0;
  const isReset = isOwn && entrypoint.every((word) => word === "");
  return {
    entrypoint: isReset ? [] : isOwn ? entrypoint : image.entrypoint,
    cmd: command.length > 0 || isOwn ? command : image.cmd,
  };
}

/** The container's own labels win. */
export function labelsOf({ settings, image }: ContainerFacts): Record<string, string> {
  return { ...image.labels, ...settings.labels };
}

export function writeConfig(container: ContainerFacts): Record<string, unknown> {
  const { settings, image } = container;
  const { client } = settings;
  const { entrypoint, cmd } = commandOf(settings, image);
  const health = mergeHealth(settings.health, image.healthcheck);
  const own = client.Volumes;
  const volumes = { ...objectOf(image.volumes), ...(typeof own === "object" ? own : {}) };
  const ports = exposedPorts(container);
  return {
    Hostname: container.hostname,
    Domainname: settings.domainname,
    User: settings.user || image.user,
    AttachStdin: client.AttachStdin ?? false,
    AttachStdout: client.AttachStdout ?? false,
    AttachStderr: client.AttachStderr ?? false,
    ...(ports.length > 0 ? { ExposedPorts: writeExposedPorts(ports) } : {}),
    Tty: settings.tty,
    OpenStdin: settings.openStdin,
    StdinOnce: settings.stdinOnce,
    Env: mergeEnv(image.env, settings.env),
    Cmd: cmd.length > 0 ? cmd : null,
    ...(health === undefined ? {} : { Healthcheck: writeHealthcheck(health) }),
    Image: settings.image,
    Volumes: Object.keys(volumes).length > 0 ? volumes : null,
    WorkingDir: settings.workdir || image.workdir,
    Entrypoint: entrypoint.length > 0 ? entrypoint : null,
    ...(client.MacAddress === undefined ? {} : { MacAddress: client.MacAddress }),
    OnBuild: client.OnBuild ?? null,
    Labels: labelsOf(container),
    ...(settings.stopSignal || image.stopSignal
      ? { StopSignal: settings.stopSignal || image.stopSignal }
      : {}),
    ...(client.StopTimeout === undefined ? {} : { StopTimeout: client.StopTimeout }),
    ...(client.Shell === undefined ? {} : { Shell: client.Shell }),
  };
}

export function writeHostConfig(container: ContainerFacts): Record<string, unknown> {
  const { settings, networkMode } = container;
  const { client, namespaces, security, devices, dns } = settings;
  return {
    Binds: client.Binds ?? null,
    ContainerIDFile: client.ContainerIDFile ?? "",
    LogConfig: { Type: settings.log.driver || "json-file", Config: settings.log.options },
    NetworkMode: networkMode,
    PortBindings: writePortBindings(settings.ports.bindings),
    RestartPolicy: writeRestartPolicy(settings.restart),
    AutoRemove: settings.autoRemove,
    VolumeDriver: client.VolumeDriver ?? "",
    VolumesFrom: client.VolumesFrom ?? null,
    ConsoleSize: client.ConsoleSize ?? [0, 0],
    ...(Object.keys(settings.annotations).length > 0 ? { Annotations: settings.annotations } : {}),
    ...(client.Mounts === undefined ? {} : { Mounts: client.Mounts }),
    CapAdd: orNull(settings.capAdd),
    CapDrop: orNull(settings.capDrop),
    CgroupnsMode: container.cgroupMode,
    Dns: dns.servers,
    DnsOptions: dns.options,
    DnsSearch: dns.search,
    ExtraHosts: orNull(writeExtraHosts(settings.extraHosts)),
    GroupAdd: orNull(settings.groups),
    IpcMode: namespaces.ipc || "private",
    Cgroup: "",
    Links: writeLinks(container),
    OomScoreAdj: settings.oomScoreAdj,
    PidMode: namespaces.pid,
    Privileged: security.privileged,
    PublishAllPorts: settings.ports.publishAll,
    ReadonlyRootfs: settings.readOnlyRootfs,
    SecurityOpt: writeSecurityOptions(settings),
    ...(client.Tmpfs === undefined ? {} : { Tmpfs: client.Tmpfs }),
    UTSMode: namespaces.uts,
    UsernsMode: client.UsernsMode ?? "",
    ShmSize: settings.shmSizeBytes || SHM_SIZE_BYTES,
    ...(Object.keys(settings.sysctls).length > 0 ? { Sysctls: settings.sysctls } : {}),
    Runtime: settings.runtime,
    Isolation: "",
    ...writeLimits(settings.limits),
    CgroupParent: settings.cgroupParent,
    Devices: devices.devices.map(({ hostPath, containerPath, permissions }) => ({
      PathOnHost: hostPath,
      PathInContainer: containerPath,
      CgroupPermissions: permissions,
    })),
    DeviceCgroupRules: orNull(devices.rules),
    DeviceRequests: client.DeviceRequests ?? null,
    Ulimits: settings.ulimits.map(({ name, soft, hard }) => ({
      Name: name,
      Soft: soft,
      Hard: hard,
    })),
    ...(settings.init || client.Init === false ? { Init: settings.init } : {}),
    MaskedPaths: container.maskedPaths ?? null,
    ReadonlyPaths: container.readonlyPaths ?? null,
  };
}

/** What the container does not say is as the image says. Source: moby, daemon/commit.go, merge. */
function mergeHealth(
  own: HealthSettings | undefined,
  image: HealthSettings | undefined,
): HealthSettings | undefined {
  if (own === undefined || image === undefined) return own ?? image;
  return {
    test: own.test.length > 0 ? own.test : image.test,
    intervalMs: own.intervalMs || image.intervalMs,
    timeoutMs: own.timeoutMs || image.timeoutMs,
    startPeriodMs: own.startPeriodMs || image.startPeriodMs,
    startIntervalMs: own.startIntervalMs || image.startIntervalMs,
    retries: own.retries || image.retries,
  };
}

function writeHealthcheck(health: HealthSettings): Record<string, unknown> {
  const nanos = (ms: number) => Math.round(ms * NANOS_PER_MS);
  const fields = {
    Interval: nanos(health.intervalMs),
    Timeout: nanos(health.timeoutMs),
    StartPeriod: nanos(health.startPeriodMs),
    StartInterval: nanos(health.startIntervalMs),
    Retries: health.retries,
  };
  const set = Object.entries(fields).filter(([, value]) => value !== 0);
  return { ...(health.test.length > 0 ? { Test: health.test } : {}), ...Object.fromEntries(set) };
}

/** The image's variables that the container does not set come after its own, as in Docker. */
function mergeEnv(image: readonly string[], own: readonly string[]): string[] {
  const nameOf = (entry: string) => entry.split("=", 1)[0];
  const names = new Set(own.map(nameOf));
  return [...own, ...image.filter((entry) => !names.has(nameOf(entry)))];
}

/** Those of the default network; the others' are told with the network. */
function writeLinks({ networks, settings }: ContainerFacts): string[] | null {
  const links = networks
    .filter(({ settings: { network } }) => network === "bridge")
    .flatMap((one) => one.settings.links);
  return orNull(
    links.map((link) => `/${link.split(":")[0]}:/${settings.name}/${link.split(":")[1]}`),
  ) as string[] | null;
}

function objectOf(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null;
}
