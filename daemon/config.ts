import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { ClusterError } from "../core/errors.ts";
import type { LogLevel } from "../core/log.ts";
import {
  type BackupConfig,
  DEFAULT_BACKUP_CONFIG,
  readBackupConfig,
} from "./backup/backup-config.ts";
import { checkLogConfig, type LogConfig } from "./log-choice.ts";
import {
  addRuntimeOptions,
  DEFAULT_RUNTIMES_CONFIG,
  RUNTIMES_FILE_KEYS,
  RUNTIMES_KEY,
  type RuntimesConfig,
  readRuntimes,
  runtimePaths,
} from "./runtimes-config.ts";
import {
  addTlsOptions,
  DEFAULT_TLS_CONFIG,
  TLS_FILE_KEYS,
  type TlsConfig,
  takeTlsFlags,
} from "./tls-config.ts";

/** Where `musterd` keeps and offers things, and whom it trusts. */
export interface DaemonConfig extends LogConfig, BackupConfig, TlsConfig, RuntimesConfig {
  /** What must survive a reboot. */
  readonly dataRoot: string;
  /** What need not: sockets, namespaces, run-time state of containers. */
  readonly execRoot: string;
  /** Where the API listens: `unix:///path` or `tcp://host:port`. */
  readonly hosts: readonly string[];
  /** The group that may use the Unix sockets; no such group: root alone. */
  readonly group: string;
  readonly pidFile: string;
  /** `key=value`, seen by placement constraints as engine.labels.key. */
  readonly labels: readonly string[];
  readonly logLevel: LogLevel;
  /** Host names, host:port or CIDRs that are spoken to by plain HTTP. Loopback always is. */
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  /** Where others reach this node, should that have changed since it joined its swarm; empty: as before. */
  readonly advertiseAddr: string;
  /** host:port of managers, should they have moved while this node was off. */
  readonly managers: readonly string[];
}

export const DEFAULT_CONFIG: DaemonConfig = {
  dataRoot: "/var/lib/muster",
  execRoot: "/run/muster",
  hosts: [],
  group: "muster",
  pidFile: "",
  labels: [],
  logLevel: "info",
  insecureRegistries: [],
  registryMirrors: [],
  advertiseAddr: "",
  managers: [],
  log: "raft",
  etcd: [],
  etcdPrefix: "/muster",
  etcdCacert: "",
  etcdCert: "",
  etcdKey: "",
  etcdUserFile: "",
  ...DEFAULT_BACKUP_CONFIG,
  ...DEFAULT_TLS_CONFIG,
  ...DEFAULT_RUNTIMES_CONFIG,
};

/** dockerd's, with why they are not here. */
const NOT_HERE: Readonly<Record<string, string>> = {
  "userns-remap":
    "users of containers are the machine's own; run containers with --user, or drop their capabilities",
};

/** dockerd's switch for what is always so here: containers live on without the daemon. */
const ALWAYS_SO = "live-restore";

const DEFAULT_CONFIG_FILE = "/etc/muster/daemon.json";
const LEVELS: readonly string[] = ["debug", "info", "warn", "error"];

type Fields = { -readonly [Key in keyof DaemonConfig]?: DaemonConfig[Key] };

/**
 * Reads dockerd's command line and configuration file. Lists of both are joined; a single value given in both is an
 * error, as in dockerd.
 *
 * @returns undefined when help or the version was asked for and has been printed.
 * @throws {ClusterError} `InvalidArgument` naming what is wrong and where.
 */
export function readConfig(argv: readonly string[], version: string): DaemonConfig | undefined {
  const flags = readFlags(argv, version);
  if (flags === undefined) return undefined;
  const { configFile, ...given } = flags;
  const file = readConfigFile(configFile ?? DEFAULT_CONFIG_FILE, configFile !== undefined);
  const config = { ...DEFAULT_CONFIG, ...merge(given, file) };
  checkLogConfig(config);
  readBackupConfig(config);
  runtimePaths(config.runtimes);
  return {
    ...config,
    hosts: config.hosts.length > 0 ? config.hosts : ["unix:///run/muster/muster.sock"],
    pidFile: config.pidFile === "" ? `${config.execRoot}/musterd.pid` : config.pidFile,
  };
}

function readFlags(
  argv: readonly string[],
  version: string,
): (Fields & { configFile?: string }) | undefined {
  const program = new Command("musterd")
    .description("Runs containers on this machine and, in a swarm, its part of it.")
    .version(`Muster version ${version}`, "-v, --version")
    .option("--data-root <path>", `What must survive a reboot (default ${DEFAULT_CONFIG.dataRoot})`)
    .option("--exec-root <path>", `What need not (default ${DEFAULT_CONFIG.execRoot})`)
    .option(
      "-H, --host <host>",
      "Listen at unix:///path, tcp://host:port or fd:// (systemd's sockets); may be repeated",
      append,
    )
    .option("-G, --group <group>", `Group of the Unix sockets (default ${DEFAULT_CONFIG.group})`)
    .option("-p, --pidfile <path>", "File for the process id")
    .option("--label <key=value>", "Label of this machine; may be repeated", append)
    .option("-l, --log-level <level>", LEVELS.join(", "))
    .option("-D, --debug", "The same as --log-level debug")
    .option("--config-file <path>", `Configuration in JSON (default ${DEFAULT_CONFIG_FILE})`)
    .option(
      "--insecure-registry <registry>",
      "Registry spoken to without TLS; may be repeated",
      append,
    )
    .option("--registry-mirror <url>", "Mirror of Docker Hub; may be repeated", append)
    .option(
      "--advertise-addr <addr>",
      "Where others reach this node now, if that has changed since it joined: IP or interface[:port]",
    )
    .option(
      "--manager <addr>",
      "Where a manager is now, if all have moved while this node was off; may be repeated",
      append,
    )
    .option("--backup-dir <path>", "Write backups of the swarm here while this manager leads")
    .option("--backup-every <time>", "How often, like 15m or 1h (default 1h)")
    .option("--backup-keep <n>", "How many stay there (default 24)")
    .option("--backup-passphrase-file <path>", "A file with the passphrase that opens them")
    .addOption(new Option("--userns-remap <user>").hideHelp())
    .exitOverride();
  addLogOptions(program);
  addTlsOptions(program);
  addRuntimeOptions(program);
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    if (error instanceof CommanderError)
      throw invalid("command line", error.message.replace(/^error: /, ""));
    throw error;
  }
  const { tls, tlsverify, tlscacert, tlscert, tlskey, usernsRemap, ...rest } = program.opts();
  const {
    host,
    label,
    pidfile,
    debug,
    insecureRegistry,
    registryMirror,
    manager,
    addRuntime,
    ...same
  } = rest;
  refuseForeign("command line", { "userns-remap": usernsRemap });
  const given = {
    ...same,
    ...takeTlsFlags({ tls, tlsverify, tlscacert, tlscert, tlskey }),
    hosts: host,
    labels: label,
    pidFile: pidfile,
    insecureRegistries: insecureRegistry,
    registryMirrors: registryMirror,
    managers: manager,
    runtimes: addRuntime,
    logLevel: debug === true ? "debug" : same.logLevel,
  };
  return validate(dropUndefined(given), "command line");
}

function addLogOptions(program: Command): void {
  program
    .option(
      "--log <kind>",
      "Where managers keep the swarm's state: raft, with themselves (default), or etcd",
    )
    .option(
      "--etcd <url>",
      "Member of an etcd cluster, as http[s]://host:port; may be repeated",
      appendEach,
    )
    .option("--etcd-prefix <key>", `Where in etcd (default ${DEFAULT_CONFIG.etcdPrefix})`)
    .option("--etcd-cacert <path>", "CA of etcd's certificates, PEM")
    .option("--etcd-cert <path>", "Certificate to show to etcd, PEM")
    .option("--etcd-key <path>", "Its key, PEM")
    .option("--etcd-user-file <path>", "File with user:password for etcd");
}

/** dockerd's key for each of our settings. */
export const FILE_KEYS: Readonly<Record<string, keyof DaemonConfig>> = {
  "data-root": "dataRoot",
  "exec-root": "execRoot",
  hosts: "hosts",
  group: "group",
  pidfile: "pidFile",
  labels: "labels",
  "log-level": "logLevel",
  "insecure-registries": "insecureRegistries",
  "registry-mirrors": "registryMirrors",
  "advertise-addr": "advertiseAddr",
  managers: "managers",
  "backup-dir": "backupDir",
  "backup-every": "backupEvery",
  "backup-keep": "backupKeep",
  "backup-passphrase-file": "backupPassphraseFile",
  log: "log",
  etcd: "etcd",
  "etcd-prefix": "etcdPrefix",
  "etcd-cacert": "etcdCacert",
  "etcd-cert": "etcdCert",
  "etcd-key": "etcdKey",
  "etcd-user-file": "etcdUserFile",
  ...TLS_FILE_KEYS,
  ...RUNTIMES_FILE_KEYS,
  [RUNTIMES_KEY]: "runtimes",
};

/** What people call a setting: its key in the file. */
export function settingName(setting: keyof DaemonConfig): string {
  return Object.keys(FILE_KEYS).find((key) => FILE_KEYS[key] === setting) ?? setting;
}

function readConfigFile(path: string, required: boolean): Fields {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw invalid(path, `cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
  const fields: Record<string, unknown> = {};
  const content = parseObject(path, text);
  refuseForeign(path, content);
  for (const [key, value] of Object.entries(content)) {
    if (Object.hasOwn(NOT_HERE, key)) continue;
    if (key === ALWAYS_SO && typeof value === "boolean") continue;
    if (key === RUNTIMES_KEY) fields.runtimes = readRuntimes(value);
    else if (key === "debug" && typeof value === "boolean")
      fields.logLevel = value ? "debug" : "info";
    else if (key === "debug") throw invalid(path, "debug must be true or false");
    else if (Object.hasOwn(FILE_KEYS, key)) fields[FILE_KEYS[key] as string] = value;
    else
      throw invalid(path, `unknown key "${key}": use one of ${Object.keys(FILE_KEYS).join(", ")}`);
  }
  return validate(fields, path);
}

/** Empty is as good as not there. @throws {ClusterError} `InvalidArgument`. */
function refuseForeign(where: string, given: object): void {
  for (const [key, value] of Object.entries(given)) {
    const why = Object.hasOwn(NOT_HERE, key) ? NOT_HERE[key] : undefined;
    if (why === undefined || value === undefined || value === "") continue;
    throw invalid(where, `${key} is not supported by this version of muster: ${why}`);
  }
}

function parseObject(path: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw invalid(path, `not valid JSON: ${(cause as Error).message}`);
  }
  throw invalid(path, "must be a JSON object");
}

function validate(fields: Record<string, unknown>, where: string): Fields {
  for (const [key, value] of Object.entries(fields)) {
    if (key === "configFile") continue;
    const wanted = DEFAULT_CONFIG[key as keyof DaemonConfig];
    const isList = Array.isArray(wanted);
    const isTruth = typeof wanted === "boolean";
    const good = isList
      ? Array.isArray(value) && value.every((item) => typeof item === "string")
      : typeof value === (isTruth ? "boolean" : "string") && value !== "";
    const kind = isList ? "a list of texts" : isTruth ? "true or false" : "a text";
    if (!good) throw invalid(where, `${key} must be ${kind}`);
  }
  const { labels, logLevel, dataRoot, execRoot } = fields as Fields;
  for (const label of labels ?? []) {
    if (!/^[^=\s]+=/.test(label)) throw invalid(where, `label '${label}' must be key=value`);
  }
  if (logLevel !== undefined && !LEVELS.includes(logLevel)) {
    throw invalid(where, `log level '${logLevel}' must be one of ${LEVELS.join(", ")}`);
  }
  for (const path of [dataRoot, execRoot]) {
    if (path !== undefined && !path.startsWith("/"))
      throw invalid(where, `path '${path}' must be absolute`);
  }
  return fields as Fields;
}

function merge(flags: Fields, file: Fields): Fields {
  const merged: Record<string, unknown> = { ...file };
  for (const [key, value] of Object.entries(flags)) {
    const other = merged[key];
    if (other !== undefined && !Array.isArray(other)) {
      throw invalid(
        "configuration",
        `${key} is given on the command line and in the file: leave one out`,
      );
    }
    merged[key] = Array.isArray(other) ? [...other, ...(value as string[])] : value;
  }
  return merged as Fields;
}

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** As etcd's own programs take them: with commas between. */
function appendEach(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(",")];
}

function dropUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function invalid(where: string, why: string): ClusterError {
  return new ClusterError("InvalidArgument", `cannot use the configuration: ${where}: ${why}`);
}
