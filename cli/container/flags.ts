import { parseMount, parseUlimit, splitPair } from "../flags/parse.ts";
import { parseBytes, parseCount, parseCpus, parseDuration } from "../flags/units.ts";
import { append, type ContainerBody, child, type Json } from "./body.ts";
import { parseExposed, parsePortBindings } from "./publish.ts";
import {
  parseBind,
  parseDevice,
  parseInteger,
  parseLimit,
  parseRestart,
  parseSecurity,
  readLines,
  readVariable,
} from "./values.ts";

/** A flag of `create` and `run`: commander's form, what it is for, and what it makes of the body. */
export interface ContainerFlag {
  readonly flag: string;
  readonly help: string;
  /** May be given again and again. */
  readonly isList: boolean;
  readonly apply: (body: ContainerBody, text: string) => void;
}

type At = (body: ContainerBody) => Json;

const own: At = (body) => body;
const host: At = (body) => child(body, "HostConfig");
const health: At = (body) => child(body, "Healthcheck");
const log: At = (body) => child(host(body), "LogConfig");

function set(
  flag: string,
  help: string,
  at: At,
  field: string,
  parse: (text: string) => unknown = (text) => text,
): ContainerFlag {
  const apply = (body: ContainerBody, text: string) => {
    at(body)[field] = parse(text);
  };
  return { flag, help, isList: false, apply };
}

function list(flag: string, help: string, apply: ContainerFlag["apply"]): ContainerFlag {
  return { flag, help, isList: true, apply };
}

function add(
  flag: string,
  help: string,
  at: At,
  field: string,
  parse: (text: string) => unknown = (text) => text,
): ContainerFlag {
  return list(flag, help, (body, text) => append(at(body), field, parse(text)));
}

function pair(flag: string, help: string, at: At, field: string): ContainerFlag {
  return list(flag, help, (body, text) => {
    const [key, value] = splitPair(text);
    child(at(body), field)[key] = value;
  });
}

const yes = () => true;
const count = (name: string) => (text: string) => parseCount(name, text);

const PROCESS: readonly ContainerFlag[] = [
  list("-e, --env <name[=value]>", "A variable; without a value, yours", (body, text) =>
    append(body, "Env", ...readVariable(text)),
  ),
  list("--env-file <file>", "Variables, one a line", (body, path) =>
    append(body, "Env", ...readLines(path).flatMap(readVariable)),
  ),
  set("-u, --user <user>", "User, or user:group", own, "User"),
  add("--group-add <group>", "One more group of its user", host, "GroupAdd"),
  set("-w, --workdir <path>", "Working directory", own, "WorkingDir"),
  set("--entrypoint <command>", "Replace the image's ENTRYPOINT", own, "Entrypoint", (text) => [
    text,
  ]),
  set("-h, --hostname <name>", "Host name", own, "Hostname"),
  set("--domainname <name>", "NIS domain name", own, "Domainname"),
  pair("-l, --label <key=value>", "A label", own, "Labels"),
  list("--label-file <file>", "Labels, one a line", (body, path) => {
    for (const line of readLines(path)) {
      const [key, value] = splitPair(line);
      child(body, "Labels")[key] = value;
    }
  }),
  set("--init", "Run an init inside that forwards signals and reaps processes", host, "Init", yes),
  set("--rm", "Remove it when it has ended", host, "AutoRemove", yes),
  set(
    "--restart <policy>",
    "no, always, unless-stopped, on-failure[:n]",
    host,
    "RestartPolicy",
    parseRestart,
  ),
  set("--stop-signal <signal>", "Signal that stops it", own, "StopSignal"),
  set(
    "--stop-timeout <seconds>",
    "Until it is killed",
    own,
    "StopTimeout",
    parseInteger("stop-timeout"),
  ),
];

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
  set("--read-only", "Mount the root filesystem read-only", host, "ReadonlyRootfs", yes),
  set("--shm-size <bytes>", "Of /dev/shm", host, "ShmSize", parseBytes),
  list(
    "--device <host[:container[:rwm]]>",
    "A device of the host, or by its CDI name",
    (body, text) => {
      if (/^[\w.-]+\/[\w.-]+=/.test(text))
        append(host(body), "DeviceRequests", { Driver: "cdi", DeviceIDs: [text] });
      else append(host(body), "Devices", parseDevice(text));
    },
  ),
];

const NETWORK: readonly ContainerFlag[] = [
  list("-p, --publish <[host:]port>", "Publish a port on the host", (body, text) => {
    for (const { port, ...binding } of parsePortBindings(text)) {
      child(body, "ExposedPorts")[port] = {};
      append(child(host(body), "PortBindings"), port, binding);
    }
  }),
  set("-P, --publish-all", "Publish all exposed ports", host, "PublishAllPorts", yes),
  list("--expose <port>", "Say that it listens there", (body, text) => {
    for (const port of parseExposed(text)) child(body, "ExposedPorts")[port] = {};
  }),
  set(
    "--network <network>",
    "bridge, host, none, container:NAME, or a network's name",
    host,
    "NetworkMode",
  ),
  add("--dns <address>", "A name server", host, "Dns"),
  add("--dns-search <domain>", "Where names are looked for", host, "DnsSearch"),
  add("--dns-option <option>", "As in resolv.conf", host, "DnsOptions"),
  add("--add-host <name:address>", "A line of /etc/hosts", host, "ExtraHosts"),
];

const LIMITS: readonly ContainerFlag[] = [
  set("-m, --memory <bytes>", "Memory it may use", host, "Memory", parseBytes),
  set("--memory-swap <bytes>", "Memory and swap; -1: any", host, "MemorySwap", parseLimit),
  set(
    "--memory-reservation <bytes>",
    "Memory it keeps in need",
    host,
    "MemoryReservation",
    parseBytes,
  ),
  set("--cpus <cpus>", "CPUs it may use", host, "NanoCpus", parseCpus),
  set("-c, --cpu-shares <n>", "Its weight", host, "CpuShares", count("cpu-shares")),
  set("--cpuset-cpus <cpus>", "Where it may run: 0-2,7", host, "CpusetCpus"),
  set(
    "--pids-limit <n>",
    "Processes it may have; -1: any",
    host,
    "PidsLimit",
    parseInteger("pids-limit"),
  ),
  set("--oom-score-adj <n>", "-1000 to 1000", host, "OomScoreAdj", parseInteger("oom-score-adj")),
  add("--ulimit <name=soft[:hard]>", "A limit of its processes", host, "Ulimits", parseUlimit),
  pair("--sysctl <name=value>", "A setting of the kernel's for it", host, "Sysctls"),
  set("--cgroup-parent <path>", "Where its control group is made", host, "CgroupParent"),
];

const CONFINEMENT: readonly ContainerFlag[] = [
  add("--cap-add <capability>", "Give a capability", host, "CapAdd"),
  add("--cap-drop <capability>", "Take a capability", host, "CapDrop"),
  set("--privileged", "All capabilities and devices", host, "Privileged", yes),
  add(
    "--security-opt <option>",
    "seccomp, apparmor, no-new-privileges",
    host,
    "SecurityOpt",
    parseSecurity,
  ),
  set("--pid <mode>", "host or container:NAME", host, "PidMode"),
  set("--ipc <mode>", "host, private, shareable, none or container:NAME", host, "IpcMode"),
  set("--uts <mode>", "host", host, "UTSMode"),
  set("--userns <mode>", "host", host, "UsernsMode"),
  set("--cgroupns <mode>", "host or private", host, "CgroupnsMode"),
];

const HEALTH: readonly ContainerFlag[] = [
  set("--health-cmd <command>", "How it is checked", health, "Test", (text) => ["CMD-SHELL", text]),
  set("--health-interval <duration>", "Time between checks", health, "Interval", parseDuration),
  set("--health-timeout <duration>", "What a check may take", health, "Timeout", parseDuration),
  set(
    "--health-retries <n>",
    "Failures until it is unhealthy",
    health,
    "Retries",
    count("health-retries"),
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
  set("--no-healthcheck", "Not even the image's check", health, "Test", () => ["NONE"]),
];

const LOGS: readonly ContainerFlag[] = [
  set("--log-driver <driver>", "json-file, local, journald or none", log, "Type"),
  pair("--log-opt <name=value>", "An option of the log's", log, "Config"),
];

/** Every flag of `create` and `run` that says what a container is. */
export const CONTAINER_FLAGS: readonly ContainerFlag[] = [
  ...PROCESS,
  ...FILES,
  ...NETWORK,
  ...LIMITS,
  ...CONFINEMENT,
  ...HEALTH,
  ...LOGS,
];
