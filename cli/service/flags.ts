import { ClusterError } from "../../core/errors.ts";
import type { WirePort, WireServiceSpec } from "../client/wire.ts";
import { parseFileReference } from "../flags/file-reference.ts";
import { parseMount } from "../flags/mount.ts";
import {
  parseNetwork,
  parsePreference,
  parsePublish,
  parseUlimit,
  splitPair,
} from "../flags/parse.ts";
import { parseBytes, parseCount, parseCpus, parseDuration, parseFraction } from "../flags/units.ts";

/** A flag that sets one thing: `--replicas 3`. Without `value` it is a switch. */
export interface SetFlag {
  readonly kind: "set";
  /** Commander's form: `-u, --user <user>`. */
  readonly flag: string;
  readonly help: string;
  readonly apply: (spec: WireServiceSpec, value: string) => void;
}

/** A flag that collects: `--env` on create, `--env-add` and `--env-rm` on update. */
export interface ListFlag {
  readonly kind: "list";
  readonly name: string;
  /** On create only, as in Docker. */
  readonly short?: string;
  readonly value: string;
  readonly help: string;
  /** Adds or replaces what the text says. */
  readonly add: (spec: WireServiceSpec, text: string) => void;
  /** Takes away what the text names. */
  readonly remove: (spec: WireServiceSpec, text: string) => void;
}

type Json = Record<string, unknown>;

const container = (spec: WireServiceSpec): Json => spec.TaskTemplate.ContainerSpec;

/** The object at `key`, made when it is not there. */
function child(parent: Json, key: string): Json {
  const value = parent[key];
  if (typeof value === "object" && value !== null) return value as Json;
  const made: Json = {};
  parent[key] = made;
  return made;
}

const resources = (spec: WireServiceSpec, kind: "Limits" | "Reservations") =>
  child(child(spec.TaskTemplate, "Resources"), kind);
const restart = (spec: WireServiceSpec) => child(spec.TaskTemplate, "RestartPolicy");
const placement = (spec: WireServiceSpec) => child(spec.TaskTemplate, "Placement");
const health = (spec: WireServiceSpec) => child(container(spec), "Healthcheck");
const dns = (spec: WireServiceSpec) => child(container(spec), "DNSConfig");
const logDriver = (spec: WireServiceSpec) => child(spec.TaskTemplate, "LogDriver");
const endpoint = (spec: WireServiceSpec) => child(spec as unknown as Json, "EndpointSpec");

/** A flag that writes one field. */
function set(
  flag: string,
  help: string,
  at: (spec: WireServiceSpec) => Json,
  field: string,
  parse: (text: string) => unknown = (text) => text,
): SetFlag {
  const apply = (spec: WireServiceSpec, text: string) => {
    at(spec)[field] = parse(text);
  };
  return { kind: "set", flag, help, apply };
}

const count = (name: string) => (text: string) => parseCount(name, text);
const yes = () => true;

function updateFlags(
  prefix: "update" | "rollback",
  of: "UpdateConfig" | "RollbackConfig",
): SetFlag[] {
  const at = (spec: WireServiceSpec) => child(spec as unknown as Json, of);
  const what = prefix === "update" ? "an update" : "a rollback";
  return [
    set(
      `--${prefix}-parallelism <n>`,
      `Tasks replaced at once in ${what} (0: all)`,
      at,
      "Parallelism",
      count("parallelism"),
    ),
    set(
      `--${prefix}-delay <duration>`,
      `Wait between batches of ${what}`,
      at,
      "Delay",
      parseDuration,
    ),
    set(
      `--${prefix}-monitor <duration>`,
      "How long a new task is watched for failure",
      at,
      "Monitor",
      parseDuration,
    ),
    set(`--${prefix}-failure-action <action>`, "pause, continue or rollback", at, "FailureAction"),
    set(
      `--${prefix}-max-failure-ratio <ratio>`,
      "Failures to tolerate, 0 to 1",
      at,
      "MaxFailureRatio",
      (text) => parseFraction("max-failure-ratio", text),
    ),
    set(`--${prefix}-order <order>`, "stop-first or start-first", at, "Order"),
  ];
}

/** Every flag of `service create` and `service update` that sets one thing. */
export const SET_FLAGS: readonly SetFlag[] = [
  set("--hostname <name>", "Host name of the containers", container, "Hostname"),
  set("-u, --user <user>", "User, or user:group", container, "User"),
  set("-w, --workdir <path>", "Working directory", container, "Dir"),
  set("-t, --tty", "Give the containers a terminal", container, "TTY", yes),
  set(
    "--init",
    "Run an init inside that forwards signals and reaps processes",
    container,
    "Init",
    yes,
  ),
  set("--read-only", "Mount the root filesystem read-only", container, "ReadOnly", yes),
  set("--stop-signal <signal>", "Signal that stops a container", container, "StopSignal"),
  set(
    "--stop-grace-period <duration>",
    "Time to stop before it is killed",
    container,
    "StopGracePeriod",
    parseDuration,
  ),
  set("--entrypoint <command>", "Replace the image's ENTRYPOINT", container, "Command", (text) =>
    text.split(" ").filter(Boolean),
  ),
  set("--isolation <kind>", "default", container, "Isolation"),
  set(
    "--limit-cpu <cpus>",
    "CPUs a task may use",
    (spec) => resources(spec, "Limits"),
    "NanoCPUs",
    parseCpus,
  ),
  set(
    "--limit-memory <bytes>",
    "Memory a task may use",
    (spec) => resources(spec, "Limits"),
    "MemoryBytes",
    parseBytes,
  ),
  set(
    "--limit-pids <n>",
    "Processes a task may have (0: no limit)",
    (spec) => resources(spec, "Limits"),
    "Pids",
    count("limit-pids"),
  ),
  set(
    "--reserve-cpu <cpus>",
    "CPUs kept for a task",
    (spec) => resources(spec, "Reservations"),
    "NanoCPUs",
    parseCpus,
  ),
  set(
    "--reserve-memory <bytes>",
    "Memory kept for a task",
    (spec) => resources(spec, "Reservations"),
    "MemoryBytes",
    parseBytes,
  ),
  set("--restart-condition <when>", "none, on-failure or any", restart, "Condition"),
  set("--restart-delay <duration>", "Wait before a restart", restart, "Delay", parseDuration),
  set(
    "--restart-max-attempts <n>",
    "Restarts before giving up (0: no limit)",
    restart,
    "MaxAttempts",
    count("restart-max-attempts"),
  ),
  set(
    "--restart-window <duration>",
    "Time over which restarts are counted",
    restart,
    "Window",
    parseDuration,
  ),
  set(
    "--replicas-max-per-node <n>",
    "Tasks on one node at most (0: no limit)",
    placement,
    "MaxReplicas",
    count("replicas-max-per-node"),
  ),
  set("--health-cmd <command>", "Command that checks health", health, "Test", (text) => [
    "CMD-SHELL",
    text,
  ]),
  set("--health-interval <duration>", "Time between checks", health, "Interval", parseDuration),
  set("--health-timeout <duration>", "Time a check may take", health, "Timeout", parseDuration),
  set(
    "--health-retries <n>",
    "Failures in a row that make it unhealthy",
    health,
    "Retries",
    count("health-retries"),
  ),
  set(
    "--health-start-period <duration>",
    "Time to start in which failures do not count",
    health,
    "StartPeriod",
    parseDuration,
  ),
  set(
    "--health-start-interval <duration>",
    "Time between checks while it starts",
    health,
    "StartInterval",
    parseDuration,
  ),
  set("--no-healthcheck", "Ignore the image's health check", health, "Test", () => ["NONE"]),
  set("--endpoint-mode <mode>", "vip or dnsrr", endpoint, "Mode"),
  set("--log-driver <name>", "Where the containers' output goes", logDriver, "Name"),
  ...updateFlags("update", "UpdateConfig"),
  ...updateFlags("rollback", "RollbackConfig"),
];

interface ListRules<T> {
  readonly parse: (text: string) => readonly T[];
  readonly keyOf: (item: T) => string;
  /** Whether the text of a `-rm` flag names the item; by default it is the item's key. */
  readonly matches?: (item: T, text: string) => boolean;
}

/** A flag over a list, whose items `keyOf` identifies: adding one with a known key replaces it. */
function list<T>(
  names: Pick<ListFlag, "name" | "short" | "value" | "help">,
  at: (spec: WireServiceSpec) => Json,
  field: string,
  rules: ListRules<T>,
): ListFlag {
  const items = (spec: WireServiceSpec) => (at(spec)[field] as T[] | undefined) ?? [];
  const matches = rules.matches ?? ((item: T, text: string) => rules.keyOf(item) === text);
  return {
    kind: "list",
    ...names,
    add(spec, text) {
      for (const item of rules.parse(text)) {
        const others = items(spec).filter((other) => rules.keyOf(other) !== rules.keyOf(item));
        at(spec)[field] = [...others, item];
      }
    },
    remove(spec, text) {
      at(spec)[field] = items(spec).filter((item) => !matches(item, text));
    },
  };
}

/** A flag over a map of strings: `key=value` adds, `key` removes. */
function map(
  names: Pick<ListFlag, "name" | "short" | "value" | "help">,
  at: (spec: WireServiceSpec) => Json,
  field: string,
): ListFlag {
  return {
    kind: "list",
    ...names,
    add(spec, text) {
      const [key, value] = splitPair(text);
      if (key === "")
        throw new ClusterError(
          "InvalidArgument",
          `invalid ${names.name} '${text}': write it like key=value`,
        );
      at(spec)[field] = { ...(at(spec)[field] as Json | undefined), [key]: value };
    },
    remove(spec, text) {
      const { [text]: _, ...rest } = (at(spec)[field] as Json | undefined) ?? {};
      at(spec)[field] = rest;
    },
  };
}

const itself = { parse: (text: string) => [text], keyOf: (text: string) => text };
const pairKey = (text: string) => splitPair(text)[0];
const portKey = (port: WirePort) =>
  `${port.TargetPort}/${port.Protocol}/${port.PublishedPort ?? 0}`;

/** An environment variable without a value takes the caller's, as in Docker. */
function parseEnv(text: string): string[] {
  if (pairKey(text) === "")
    throw new ClusterError("InvalidArgument", `invalid environment variable: ${text}`);
  if (text.includes("=")) return [text];
  const own = process.env[text];
  return [own === undefined ? text : `${text}=${own}`];
}

/** Configs or secrets by name; `-rm` takes away all files of one name. */
function fileReferences(kind: "config" | "secret"): ListFlag {
  const [field, nameField] =
    kind === "config" ? (["Configs", "ConfigName"] as const) : (["Secrets", "SecretName"] as const);
  const example = kind === "config" ? "source=site,target=/etc/site.conf" : "db-password";
  return list<Json & { readonly File?: { readonly Name?: string } }>(
    { name: kind, value: kind, help: `Give the containers a ${kind} to read, ${example}` },
    container,
    field,
    {
      parse: (text) => {
        const { source, file } = parseFileReference(kind, text);
        return [{ File: file, [nameField]: source }];
      },
      keyOf: (reference) => reference.File?.Name ?? "",
      matches: (reference, text) => reference[nameField] === text,
    },
  );
}

/** Every flag of `service create` and `service update` that collects. */
export const LIST_FLAGS: readonly ListFlag[] = [
  list(
    { name: "env", short: "-e", value: "key=value", help: "Environment variable" },
    container,
    "Env",
    {
      parse: parseEnv,
      keyOf: pairKey,
    },
  ),
  map(
    { name: "label", short: "-l", value: "key=value", help: "Label of the service" },
    (spec) => spec as unknown as Json,
    "Labels",
  ),
  map(
    { name: "container-label", value: "key=value", help: "Label of the containers" },
    container,
    "Labels",
  ),
  list(
    { name: "constraint", value: "expression", help: "Placement constraint, node.role==worker" },
    placement,
    "Constraints",
    itself,
  ),
  list(
    {
      name: "placement-pref",
      value: "pref",
      help: "Placement preference, spread=node.labels.zone",
    },
    placement,
    "Preferences",
    {
      parse: (text) => [parsePreference(text)],
      keyOf: (preference) => preference.Spread.SpreadDescriptor,
      matches: (preference, text) => preference.Spread.SpreadDescriptor === splitPair(text)[1],
    },
  ),
  list(
    { name: "publish", short: "-p", value: "port", help: "Publish a port, 8080:80" },
    endpoint,
    "Ports",
    {
      parse: parsePublish,
      keyOf: portKey,
      matches: (port, text) => String(port.TargetPort) === text.split("/", 1)[0],
    },
  ),
  list(
    { name: "network", value: "network", help: "Attach to a network" },
    (spec) => spec.TaskTemplate,
    "Networks",
    {
      parse: (text) => [parseNetwork(text)],
      keyOf: (network) => network.Target,
    },
  ),
  list(
    {
      name: "mount",
      value: "mount",
      help: "Attach a filesystem, type=volume,source=data,target=/data",
    },
    container,
    "Mounts",
    {
      parse: (text) => [parseMount(text)],
      keyOf: (mount) => String(mount.Target),
    },
  ),
  fileReferences("config"),
  fileReferences("secret"),
  list(
    { name: "group", value: "group", help: "Additional group of the user" },
    container,
    "Groups",
    itself,
  ),
  list(
    { name: "cap-add", value: "capability", help: "Add a Linux capability" },
    container,
    "CapabilityAdd",
    itself,
  ),
  list(
    { name: "cap-drop", value: "capability", help: "Drop a Linux capability" },
    container,
    "CapabilityDrop",
    itself,
  ),
  list({ name: "ulimit", value: "limit", help: "Limit, nofile=1024:2048" }, container, "Ulimits", {
    parse: (text) => [parseUlimit(text)],
    keyOf: (limit) => limit.Name,
  }),
  map(
    { name: "sysctl", value: "key=value", help: "Kernel setting of the container" },
    container,
    "Sysctls",
  ),
  list({ name: "host", value: "name:ip", help: "Line for /etc/hosts" }, container, "Hosts", {
    parse: (text) => [hostLine(text)],
    keyOf: (line) => line,
    matches: (line, text) => line === hostLine(text),
  }),
  list({ name: "dns", value: "address", help: "Name server" }, dns, "Nameservers", itself),
  list({ name: "dns-search", value: "domain", help: "Search domain" }, dns, "Search", itself),
  list({ name: "dns-option", value: "option", help: "Resolver option" }, dns, "Options", itself),
  map(
    { name: "log-opt", value: "key=value", help: "Option of the log driver" },
    logDriver,
    "Options",
  ),
];

/** Docker's `name:ip` is `ip name` in the file. */
function hostLine(text: string): string {
  const at = text.indexOf(":");
  if (at <= 0)
    throw new ClusterError("InvalidArgument", `invalid host '${text}': write it like name:ip`);
  return `${text.slice(at + 1)} ${text.slice(0, at)}`;
}
