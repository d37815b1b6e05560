import { ClusterError } from "../../core/errors.ts";
import { parseGpus } from "../flags/gpus.ts";
import { parseMount } from "../flags/mount.ts";
import { splitPair } from "../flags/parse.ts";
import { parseCount, parseDuration } from "../flags/units.ts";
import { append, type ContainerBody, child } from "./body.ts";
import {
  type At,
  add,
  type ContainerFlag,
  host,
  list,
  once,
  own,
  pair,
  set,
  toggle,
} from "./flag.ts";
import { LIMIT_FLAGS } from "./limit-flags.ts";
import { parseExposed, parsePortBindings } from "./publish.ts";
import {
  parseBind,
  parseDevice,
  parseHost,
  parseInteger,
  parseSecurity,
  readLines,
  readVariable,
  readVariables,
} from "./values.ts";

const health: At = (body) => child(body, "Healthcheck");
const log: At = (body) => child(host(body), "LogConfig");

/** In the order in which they count: of a name the last one does, and a flag's comes after a file's. */
const PROCESS: readonly ContainerFlag[] = [
  list("--env-file <file>", "Variables, one a line", (body, path) =>
    append(body, "Env", ...readVariables(path)),
  ),
  list("-e, --env <name[=value]>", "A variable; without a value, yours", (body, text) =>
    append(body, "Env", ...readVariable(text)),
  ),
  set("-u, --user <user>", "User, or user:group", own, "User"),
  add("--group-add <group>", "One more group of its user", host, "GroupAdd"),
  set("-w, --workdir <path>", "Working directory", own, "WorkingDir"),
  set("--entrypoint <command>", "Replace the image's ENTRYPOINT", own, "Entrypoint", (text) => [
    text,
  ]),
  set("-h, --hostname <name>", "Host name", own, "Hostname"),
  set("--domainname <name>", "NIS domain name", own, "Domainname"),
  list("--label-file <file>", "Labels, one a line", (body, path) => {
    for (const line of readLines(path)) setLabel(body, line);
  }),
  list("-l, --label <key=value>", "A label", setLabel),
  pair("--annotation <key=value>", "A note for the OCI runtime", host, "Annotations"),
  toggle("--init", "Run an init inside that forwards signals and reaps processes", host, "Init"),
  toggle("--rm", "Remove it when it has ended", host, "AutoRemove"),
  set("--stop-signal <signal>", "Signal that stops it", own, "StopSignal"),
  set(
    "--stop-timeout <seconds>",
    "Until it is killed",
    own,
    "StopTimeout",
    parseInteger("stop-timeout"),
  ),
  set("--runtime <name>", "The OCI runtime", host, "Runtime"),
];

function setLabel(body: ContainerBody, text: string): void {
  const [key, value] = splitPair(text);
  if (key === "") throw new ClusterError("InvalidArgument", `invalid label '${text}': empty name`);
  child(body, "Labels")[key] = value;
}

const FILES: readonly ContainerFlag[] = [
  list("-v, --volume <source:target>", "Mount a volume or a directory", (body, text) => {
    if (text.includes(":")) append(host(body), "Binds", parseBind(text));
    else child(body, "Volumes")[text] = {};
  }),
  add(
    "--mount <type=…,target=…>",
    "Mount a volume, directory or tmpfs",
    host,
    "Mounts",
    parseMount,
  ),
  list("--tmpfs <path[:options]>", "Mount memory", (body, text) => {
    const at = text.indexOf(":");
    const path = at === -1 ? text : text.slice(0, at);
    child(host(body), "Tmpfs")[path] = at === -1 ? "" : text.slice(at + 1);
  }),
  add("--volumes-from <container>", "Mount what another mounts", host, "VolumesFrom"),
  set("--volume-driver <driver>", "Of volumes that are made for it", host, "VolumeDriver"),
  pair("--storage-opt <name=value>", "An option of its file system", host, "StorageOpt"),
  toggle("--read-only", "Mount the root filesystem read-only", host, "ReadonlyRootfs"),
  list(
    "--device <host[:container[:rwm]]>",
    "A device of the host, or by its CDI name",
    (body, text) => {
      if (/^[\w.-]+\/[\w.-]+=/.test(text))
        append(host(body), "DeviceRequests", { Driver: "cdi", DeviceIDs: [text] });
      else append(host(body), "Devices", parseDevice(text));
    },
  ),
  add("--device-cgroup-rule <rule>", "Devices it may use: 'c 1:3 rwm'", host, "DeviceCgroupRules"),
  add("--gpus <request>", "GPUs: all, 2, '\"device=0,1\"'", host, "DeviceRequests", parseGpus),
];

const NETWORK: readonly ContainerFlag[] = [
  list("-p, --publish <[host:]port>", "Publish a port on the host", (body, text) => {
    for (const { port, ...binding } of parsePortBindings(text)) {
      child(body, "ExposedPorts")[port] = {};
      append(child(host(body), "PortBindings"), port, binding);
    }
  }),
  toggle("-P, --publish-all", "Publish all exposed ports", host, "PublishAllPorts"),
  list("--expose <port>", "Say that it listens there", (body, text) => {
    for (const port of parseExposed(text)) child(body, "ExposedPorts")[port] = {};
  }),
  add("--dns <address>", "A name server", host, "Dns"),
  add("--dns-search <domain>", "Where names are looked for", host, "DnsSearch"),
  add("--dns-option <option>", "As in resolv.conf", host, "DnsOptions"),
  add("--add-host <name:address>", "A line of /etc/hosts", host, "ExtraHosts", parseHost),
];

const CONFINEMENT: readonly ContainerFlag[] = [
  add("--cap-add <capability>", "Give a capability", host, "CapAdd"),
  add("--cap-drop <capability>", "Take a capability", host, "CapDrop"),
  toggle("--privileged", "All capabilities and devices", host, "Privileged"),
  list(
    "--security-opt <option>",
    "seccomp, apparmor, no-new-privileges, systempaths",
    (body, text) => {
      if (text !== "systempaths=unconfined") append(host(body), "SecurityOpt", parseSecurity(text));
      else Object.assign(host(body), { MaskedPaths: [], ReadonlyPaths: [] });
    },
  ),
  pair("--sysctl <name=value>", "A setting of the kernel's for it", host, "Sysctls"),
  set("--pid <mode>", "host or container:NAME", host, "PidMode"),
  set("--ipc <mode>", "host, private, shareable, none or container:NAME", host, "IpcMode"),
  set("--uts <mode>", "host", host, "UTSMode"),
  set("--userns <mode>", "host", host, "UsernsMode"),
  set("--cgroupns <mode>", "host or private", host, "CgroupnsMode"),
  set("--isolation <technology>", "default", host, "Isolation"),
  once("--use-api-socket", "Not supported: mount the socket with --volume", (_body, text) => {
    if (text !== "true") return;
    const message =
      "--use-api-socket is not supported: use -v /run/muster/muster.sock:/var/run/docker.sock";
    throw new ClusterError("InvalidArgument", message);
  }),
];

const HEALTH: readonly ContainerFlag[] = [
  set("--health-cmd <command>", "How it is checked", health, "Test", (text) => ["CMD-SHELL", text]),
  set("--health-interval <duration>", "Time between checks", health, "Interval", parseDuration),
  set("--health-timeout <duration>", "What a check may take", health, "Timeout", parseDuration),
  set("--health-retries <n>", "Failures until it is unhealthy", health, "Retries", (text) =>
    parseCount("health-retries", text),
  ),
  set(
    "--health-start-period <duration>",
    "Until failures count",
    health,
    "StartPeriod",
    parseDuration,
  ),
  set(
    "--health-start-interval <duration>",
    "Time between checks until then",
    health,
    "StartInterval",
    parseDuration,
  ),
  once("--no-healthcheck", "Not even the image's check", (body) => {
    if (body.Healthcheck !== undefined) {
      const message = "--no-healthcheck conflicts with --health-* options";
      throw new ClusterError("InvalidArgument", message);
    }
    health(body).Test = ["NONE"];
  }),
];

const LOGS: readonly ContainerFlag[] = [
  set("--log-driver <driver>", "json-file, local, journald or none", log, "Type"),
  pair("--log-opt <name=value>", "An option of the log's", log, "Config"),
];

/** Every flag of `create` and `run` that alone says what a container is; `networks.ts` has those that do it together. */
export const CONTAINER_FLAGS: readonly ContainerFlag[] = [
  ...PROCESS,
  ...FILES,
  ...NETWORK,
  ...LIMIT_FLAGS,
  ...CONFINEMENT,
  ...HEALTH,
  ...LOGS,
];
