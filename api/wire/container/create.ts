import { ClusterError } from "../../../core/errors.ts";
import type { ContainerSettings, HealthSettings } from "../../backends/container-settings.ts";
import type { MountFacts } from "../../backends/containers.ts";
import { JsonReader } from "../../http/json-reader.ts";
import { noSuchVolumeDriver } from "../volume.ts";
import {
  readExtraHosts,
  readLogConfig,
  readNamespaces,
  readOomScore,
  readRestartPolicy,
} from "./host-config.ts";
import { invalid } from "./invalid.ts";
import { readMounts } from "./mounts.ts";
import { type Networking, type NetworkingContext, readNetworking } from "./networking.ts";
import { asOlderClientMeans } from "./older-clients.ts";
import { checkPorts, readPorts } from "./ports.ts";
import { readLimits } from "./resources.ts";
import { readSecurity } from "./security.ts";

/** What reading a new container needs of those there are. */
export interface CreateContext extends NetworkingContext {
  readonly mountsOf: (ref: string) => readonly MountFacts[];
  readonly runtimes: readonly string[];
  readonly hasApparmor: boolean;
}

/** Between the stop signal and SIGKILL when nobody says. Source: moby, defaultStopTimeout. */
const STOP_TIMEOUT_MS = 10_000;
const SECOND_MS = 1000;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const NAME_LENGTH_MAX = 1024;
const GPU_KIND = "nvidia.com/gpu";
const GPUS_MAX = 1024;
const NANOS_PER_MS = 1e6;
/** Shown as they were sent: they say how a client uses the container, not what it is. */
const CLIENT_CONFIG = ["AttachStdin", "AttachStdout", "AttachStderr", "ArgsEscaped", "OnBuild"];
const CLIENT_CONFIG_TOO = ["Shell", "StopTimeout", "Volumes", "MacAddress"];
const CLIENT_HOST = ["Binds", "Mounts", "Tmpfs", "VolumesFrom", "VolumeDriver", "ConsoleSize"];
const CLIENT_HOST_TOO = ["ContainerIDFile", "SecurityOpt", "Init"];
const CLIENT_HOST_DEVICES = ["DeviceRequests", "UsernsMode"];

/** Beside what the container itself is. */
const NO_CONFIG = ["hostconfig", "networkingconfig"];

/**
 * Reads Docker's body of `POST /containers/create`.
 *
 * @throws {ClusterError} InvalidArgument for what is wrong or not supported, NotFound for containers it names.
 */
export function readContainerCreate(
  body: unknown,
  name: string,
  context: CreateContext,
): {
  readonly settings: ContainerSettings;
  readonly warnings: readonly string[];
} & Networking {
  const config = new JsonReader(body, "Config");
  const host = config.object("HostConfig");
  if (Object.keys(body ?? {}).every((key) => NO_CONFIG.includes(key.toLowerCase())))
    throw invalid("config cannot be empty in order to create a container");
  checkName(name);
  host.refuse("Cgroup");
  checkStorage(host.stringMap("StorageOpt"));
  checkVolumeDriver(host.string("VolumeDriver"));
  checkIsolation(host.string("Isolation"));
  const said: ContainerSettings = {
    ...readProgram(config),
    name,
    readOnlyRootfs: host.boolean("ReadonlyRootfs"),
    init: host.boolean("Init"),
    groups: host.strings("GroupAdd"),
    capAdd: host.strings("CapAdd"),
    capDrop: host.strings("CapDrop"),
    sysctls: host.stringMap("Sysctls"),
    ulimits: host.objects("Ulimits", (limit) => ({
      name: limit.string("Name"),
      soft: limit.integer("Soft"),
      hard: limit.integer("Hard"),
    })),
    mounts: readMounts(config, host, context.mountsOf, context.apiMinor),
    limits: readLimits(host),
    extraHosts: readExtraHosts(host),
    oomScoreAdj: readOomScore(host),
    log: readLogConfig(host.object("LogConfig")),
    security: readSecurity(host),
    namespaces: readNamespaces(host, context.resolve),
    devices: {
      devices: readDevices(host),
      rules: host.strings("DeviceCgroupRules"),
      cdi: readDeviceRequests(host),
    },
    dns: {
      servers: host.strings("Dns"),
      search: host.strings("DnsSearch"),
      options: host.strings("DnsOptions"),
    },
    ports: readPorts(config, host),
    shmSizeBytes: readShmSize(host),
    runtime: readRuntime(host, context.runtimes),
    cgroupParent: host.string("CgroupParent"),
    annotations: host.stringMap("Annotations"),
    restart: readRestartPolicy(host.object("RestartPolicy")),
    autoRemove: host.boolean("AutoRemove"),
    client: {
      ...pick(config, [...CLIENT_CONFIG, ...CLIENT_CONFIG_TOO]),
      ...pick(host, [...CLIENT_HOST, ...CLIENT_HOST_TOO, ...CLIENT_HOST_DEVICES]),
    },
  };
  const settings = asOlderClientMeans(said, context.apiMinor);
  checkTogether(settings);
  const networking = readNetworking(config, host, context);
  const { networkMode } = networking;
  const warnings = [...checkPorts(settings.ports, networkMode), ...warn(settings, host, context)];
  return { settings, ...networking, warnings };
}

type Program = Pick<
  ContainerSettings,
  | "image"
  | "entrypoint"
  | "command"
  | "env"
  | "labels"
  | "hostname"
  | "domainname"
  | "user"
  | "workdir"
  | "tty"
  | "openStdin"
  | "stdinOnce"
  | "stopSignal"
  | "stopTimeoutMs"
  | "health"
>;

function readProgram(config: JsonReader): Program {
  const image = config.string("Image");
  if (image === "") throw invalid("no command specified");
  const env = config.strings("Env");
  for (const entry of env)
    if (entry === "" || entry.startsWith("="))
      throw invalid(`invalid environment variable: ${entry}`);
  const stopTimeout = config.optionalInteger("StopTimeout");
  return {
    image,
    entrypoint: config.words("Entrypoint"),
    command: config.words("Cmd"),
    env,
    labels: config.stringMap("Labels"),
    hostname: config.string("Hostname"),
    domainname: config.string("Domainname"),
    user: config.string("User"),
    workdir: readWorkdir(config.string("WorkingDir")),
    tty: config.boolean("Tty"),
    openStdin: config.boolean("OpenStdin"),
    stdinOnce: config.boolean("StdinOnce"),
    stopSignal: config.string("StopSignal"),
    stopTimeoutMs: stopTimeout === undefined ? STOP_TIMEOUT_MS : stopTimeout * SECOND_MS,
    health: config.optionalObject("Healthcheck", readHealth),
  };
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
export function checkName(name: string): void {
  if (NAME.test(name) && name.length <= NAME_LENGTH_MAX) return;
  throw invalid(
    `Invalid container name (${name.slice(0, 100)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

function readWorkdir(path: string): string {
  if (path === "" || path.startsWith("/")) return path;
  throw invalid(`the working directory '${path}' is invalid, it needs to be an absolute path`);
}

/** Source: moby, daemon/container.go, validateHealthCheck. */
function readHealth(json: JsonReader): HealthSettings {
  const duration = (field: string, said: string) => {
    const nanos = json.integer(field);
    if (nanos === 0 || nanos >= NANOS_PER_MS) return nanos / NANOS_PER_MS;
    throw invalid(`${said} in Healthcheck cannot be less than 1ms`);
  };
  const retries = json.integer("Retries");
  if (retries < 0) throw invalid("Retries in Healthcheck cannot be negative");
  return {
    test: json.strings("Test"),
    intervalMs: duration("Interval", "Interval"),
    timeoutMs: duration("Timeout", "Timeout"),
    retries,
    startPeriodMs: duration("StartPeriod", "StartPeriod"),
    startIntervalMs: duration("StartInterval", "StartInterval"),
  };
}

function readDevices(host: JsonReader): ContainerSettings["devices"]["devices"] {
  return host.objects("Devices", (device) => {
    const hostPath = device.string("PathOnHost");
    const containerPath = device.string("PathInContainer");
    const permissions = device.string("CgroupPermissions");
    return {
      hostPath,
      containerPath: containerPath === "" ? hostPath : containerPath,
      permissions: permissions === "" ? "rwm" : permissions,
    };
  });
}

/**
 * Devices that their vendors describe: by whole names, or GPUs as `--gpus` asks for them.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
function readDeviceRequests(host: JsonReader): string[] {
  return host
    .objects("DeviceRequests", (request) => {
      const driver = request.string("Driver");
      const ids = request.strings("DeviceIDs");
      if (driver === "cdi") return ids;
      const wanted = request.list("Capabilities", (value) => JSON.stringify(value));
      const isGpu = wanted.some((all) => all.includes('"gpu"'));
      if (!isGpu || (driver !== "" && driver !== "nvidia"))
        throw invalid(
          `could not select device driver ${JSON.stringify(driver)} with capabilities: ${wanted.join(" ")}`,
        );
      const count = request.integer("Count");
      if (ids.length > 0) return ids.map((id) => `${GPU_KIND}=${id}`);
      if (count < 0) return [`${GPU_KIND}=all`];
      if (count > GPUS_MAX) throw invalid(`invalid device count ${count}`);
      return Array.from({ length: count }, (_, index) => `${GPU_KIND}=${index}`);
    })
    .flat();
}

function readShmSize(host: JsonReader): number {
  const size = host.integer("ShmSize");
  if (size >= 0) return size;
  throw invalid("SHM size can not be less than 0");
}

/** What is heard but changes nothing. */
function warn({ security }: ContainerSettings, host: JsonReader, context: CreateContext): string[] {
  const { apparmor } = security;
  return [
    ...(apparmor !== "" && apparmor !== "unconfined" && !context.hasApparmor
      ? [`AppArmor is not there on this machine: the profile ${apparmor} is not used.`]
      : []),
    ...(host.isSet("KernelMemory") || host.isSet("KernelMemoryTCP")
      ? ["Kernel memory limits are deprecated and not supported: the limit is discarded."]
      : []),
  ];
}

function checkTogether({ autoRemove, restart, hostname, namespaces }: ContainerSettings): void {
  if (autoRemove && restart.kind !== "no")
    throw invalid("can't create 'AutoRemove' container with restart policy");
  if (hostname !== "" && namespaces.uts === "host")
    throw invalid("conflicting options: hostname and the UTS mode");
}

/** Decided here: the daemon's default may be another one day. */
function readRuntime(host: JsonReader, runtimes: readonly string[]): string {
  const name = host.string("Runtime") || (runtimes[0] ?? "");
  if (runtimes.includes(name)) return name;
  throw invalid(`unknown or invalid runtime name: ${name.slice(0, 100)}`);
}

/** Docker's words where the disk has no quotas for directories, and its 500: it finds out as it makes the layer. */
function checkStorage(options: Readonly<Record<string, string>>): void {
  for (const option of Object.keys(options)) {
    if (option.toLowerCase() !== "size")
      throw invalid(`unknown storage option ${option.slice(0, 100)}`);
    throw new ClusterError(
      "Internal",
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    );
  }
}

function checkVolumeDriver(name: string): void {
  if (name === "" || name === "local") return;
  throw invalid(noSuchVolumeDriver(name));
}

function checkIsolation(isolation: string): void {
  if (isolation === "" || isolation === "default") return;
  throw invalid(`invalid isolation '${isolation.slice(0, 40)}': Linux has only 'default'`);
}

function pick(json: JsonReader, names: readonly string[]): Record<string, unknown> {
  const entries = names.map((name): [string, unknown] => [name, json.raw(name)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
