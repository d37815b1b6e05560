import { ClusterError } from "../../core/errors.ts";
import type {
  ContainerSpec,
  DnsConfig,
  HealthConfig,
  Mount,
  Ulimit,
} from "../../proto/gen/objects.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { maybe, omitEmpty } from "./common.ts";
import {
  readConfigReference,
  readSecretReference,
  writeConfigReference,
  writeSecretReference,
} from "./file-reference.ts";

/** Reads Docker's ContainerSpec. What this version cannot honour is refused, never dropped. */
export function readContainerSpec(json: JsonReader, registryAuth: string): ContainerSpec {
  json.refuse("Privileges");
  const spec = readFields(json, registryAuth);
  refuseTemplates(spec);
  return spec;
}

function readFields(json: JsonReader, registryAuth: string): ContainerSpec {
  return {
    image: json.string("Image"),
    labels: json.stringMap("Labels"),
    command: json.strings("Command"),
    args: json.strings("Args"),
    hostname: json.string("Hostname"),
    env: json.strings("Env"),
    dir: json.string("Dir"),
    user: json.string("User"),
    groups: json.strings("Groups"),
    tty: json.boolean("TTY"),
    openStdin: json.boolean("OpenStdin"),
    readOnly: json.boolean("ReadOnly"),
    stopSignal: json.string("StopSignal"),
    stopGracePeriodNs: json.optionalCount("StopGracePeriod"),
    healthcheck: json.optionalObject("Healthcheck", readHealth),
    mounts: json.objects("Mounts", readMount),
    hosts: json.strings("Hosts"),
    dnsConfig: json.optionalObject("DNSConfig", readDns),
    capabilityAdd: json.strings("CapabilityAdd"),
    capabilityDrop: json.strings("CapabilityDrop"),
    sysctls: json.stringMap("Sysctls"),
    ulimits: json.objects("Ulimits", readUlimit),
    init: json.optionalBoolean("Init"),
    registryAuth,
    isolation: readIsolation(json),
    oomScoreAdj: json.integer("OomScoreAdj"),
    secrets: json.objects("Secrets", readSecretReference),
    configs: json.objects("Configs", readConfigReference),
  };
}

/** Writes Docker's ContainerSpec; the registry auth stays with us. */
export function writeContainerSpec(spec: ContainerSpec): Record<string, unknown> {
  // A grace period of 0 and an init of false say something: they stay.
  return { ...writeFields(spec), StopGracePeriod: spec.stopGracePeriodNs, Init: spec.init };
}

function writeFields(spec: ContainerSpec): Record<string, unknown> {
  return omitEmpty({
    Image: spec.image,
    Labels: maybeMap(spec.labels),
    Command: spec.command,
    Args: spec.args,
    Hostname: spec.hostname,
    Env: spec.env,
    Dir: spec.dir,
    User: spec.user,
    Groups: spec.groups,
    TTY: spec.tty,
    OpenStdin: spec.openStdin,
    ReadOnly: spec.readOnly,
    StopSignal: spec.stopSignal,
    Healthcheck: maybe(spec.healthcheck, writeHealth),
    Mounts: spec.mounts.map(writeMount),
    Hosts: spec.hosts,
    DNSConfig: maybe(spec.dnsConfig, writeDns),
    CapabilityAdd: spec.capabilityAdd,
    CapabilityDrop: spec.capabilityDrop,
    Sysctls: maybeMap(spec.sysctls),
    Ulimits: spec.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    Isolation: spec.isolation,
    OomScoreAdj: spec.oomScoreAdj,
    Secrets: spec.secrets.map(writeSecretReference),
    Configs: spec.configs.map(writeConfigReference),
  });
}

/** What Docker would fill in for each task must not reach a container as it stands. Source: swarmkit, template/expand.go. */
function refuseTemplates({ hostname, env, mounts }: ContainerSpec): void {
  const places = [hostname, ...env, ...mounts.flatMap(({ source, target }) => [source, target])];
  const template = places.find((text) => text.includes("{{"));
  if (template === undefined) return;
  throw new ClusterError(
    "InvalidArgument",
    `templates are not supported by this version of muster: write '${template}' without {{ }}`,
  );
}

function readHealth(json: JsonReader): HealthConfig {
  return {
    test: json.strings("Test"),
    intervalNs: json.integer("Interval"),
    timeoutNs: json.integer("Timeout"),
    retries: json.integer("Retries"),
    startPeriodNs: json.integer("StartPeriod"),
    startIntervalNs: json.integer("StartInterval"),
  };
}

function writeHealth(health: HealthConfig): Record<string, unknown> {
  return omitEmpty({
    Test: health.test,
    Interval: health.intervalNs,
    Timeout: health.timeoutNs,
    Retries: health.retries,
    StartPeriod: health.startPeriodNs,
    StartInterval: health.startIntervalNs,
  });
}

function readMount(json: JsonReader): Mount {
  json.refuse("Consistency", "ClusterOptions", "ImageOptions");
  const bind = json.object("BindOptions");
  bind.refuse("NonRecursive", "CreateMountpoint", "ReadOnlyNonRecursive", "ReadOnlyForceRecursive");
  const volume = json.object("VolumeOptions");
  volume.refuse("Subpath");
  const tmpfs = json.object("TmpfsOptions");
  tmpfs.refuse("Options");
  const driver = volume.object("DriverConfig");
  return {
    type: json.choice("Type", { bind: "bind", volume: "volume", tmpfs: "tmpfs" }, "volume"),
    source: json.string("Source"),
    target: json.string("Target"),
    readOnly: json.boolean("ReadOnly"),
    propagation: bind.string("Propagation"),
    noCopy: volume.boolean("NoCopy"),
    tmpfsSizeBytes: tmpfs.count("SizeBytes"),
    tmpfsMode: tmpfs.count("Mode"),
    volumeDriver: driver.string("Name"),
    volumeOptions: driver.stringMap("Options"),
    volumeLabels: volume.stringMap("Labels"),
  };
}

function writeMount(mount: Mount): Record<string, unknown> {
  const driver = omitEmpty({ Name: mount.volumeDriver, Options: maybeMap(mount.volumeOptions) });
  const volume = omitEmpty({
    NoCopy: mount.noCopy,
    Labels: maybeMap(mount.volumeLabels),
    DriverConfig: maybeMap(driver),
  });
  const tmpfs = omitEmpty({ SizeBytes: mount.tmpfsSizeBytes, Mode: mount.tmpfsMode });
  return omitEmpty({
    Type: mount.type,
    Source: mount.source,
    Target: mount.target,
    ReadOnly: mount.readOnly,
    BindOptions: maybeMap(omitEmpty({ Propagation: mount.propagation })),
    VolumeOptions: maybeMap(volume),
    TmpfsOptions: maybeMap(tmpfs),
  });
}

function readDns(json: JsonReader): DnsConfig {
  return {
    nameservers: json.strings("Nameservers"),
    search: json.strings("Search"),
    options: json.strings("Options"),
  };
}

function writeDns(dns: DnsConfig): Record<string, unknown> {
  return omitEmpty({ Nameservers: dns.nameservers, Search: dns.search, Options: dns.options });
}

function readUlimit(json: JsonReader): Ulimit {
  return { name: json.string("Name"), soft: json.integer("Soft"), hard: json.integer("Hard") };
}

function readIsolation(json: JsonReader): string {
  const isolation = json.string("Isolation");
  if (isolation === "" || isolation === "default") return isolation;
  throw new ClusterError(
    "InvalidArgument",
    `invalid isolation '${isolation}': Linux has only 'default'`,
  );
}

function maybeMap<T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> | undefined {
  return Object.keys(map).length === 0 ? undefined : map;
}
