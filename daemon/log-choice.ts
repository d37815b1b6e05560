import { readFileSync } from "node:fs";
import { ClusterError } from "../core/errors.ts";
import { holdsLog } from "../manager/log/log-folder.ts";
import { type EtcdPlace, openEtcd } from "../manager/open-etcd-log.ts";
import { type OpenLog, openRaft } from "../manager/open-log.ts";

/** Where the desired state is kept: with the managers themselves, or in an etcd there is. */
export type LogKind = "raft" | "etcd";

/** The settings that choose the log. */
export interface LogConfig {
  readonly log: string;
  /** URLs of members of one etcd cluster. */
  readonly etcd: readonly string[];
  readonly etcdPrefix: string;
  /** PEM files; empty: none. */
  readonly etcdCacert: string;
  readonly etcdCert: string;
  readonly etcdKey: string;
  /** A file with `user:password`; never on the command line, where everybody may read it. */
  readonly etcdUserFile: string;
}

/** The log a node's manager part opens. */
export interface LogChoice {
  readonly kind: LogKind;
  readonly open: OpenLog;
  /** Whether what this node keeps of the log in a manager's folder is there; of one in etcd it keeps nothing. */
  readonly isThere: (dir: string) => boolean;
}

/**
 * Makes the choice the configuration says.
 *
 * @throws {ClusterError} `InvalidArgument` when the settings contradict each other or a file cannot be read.
 */
export function chooseLog(config: LogConfig): LogChoice {
  checkLogConfig(config);
  if (config.log === "raft") return { kind: "raft", open: openRaft, isThere: holdsLog };
  // Read once now, so that a wrong path is said at the start.
  readPlace(config);
  return { kind: "etcd", open: openEtcd(() => readPlace(config)), isThere: () => true };
}

/** @throws {ClusterError} `InvalidArgument` saying which setting to change. */
export function checkLogConfig(config: LogConfig): void {
  const { log, etcd, etcdPrefix, etcdCacert, etcdCert, etcdKey, etcdUserFile } = config;
  if (log !== "raft" && log !== "etcd") throw invalid(`log '${log}' must be raft or etcd`);
  const files = [etcdCacert, etcdCert, etcdKey, etcdUserFile];
  if (log === "raft") {
    const isUsed = etcd.length > 0 || files.some((file) => file !== "");
    if (isUsed) throw invalid("settings for etcd need --log etcd");
    return;
  }
  if (etcd.length === 0) throw invalid("--log etcd needs --etcd with a URL of an etcd member");
  for (const url of etcd) checkUrl(url);
  const isTls = etcd[0]?.startsWith("https:") === true;
  if (etcd.some((url) => url.startsWith("https:") !== isTls)) {
    throw invalid("the URLs of etcd must be all http or all https");
  }
  if (!isTls && (etcdCacert !== "" || etcdCert !== "")) {
    throw invalid("certificates for etcd need https URLs");
  }
  if ((etcdCert === "") !== (etcdKey === "")) {
    throw invalid("--etcd-cert and --etcd-key go together");
  }
  if (etcdCert !== "" && etcdCacert === "") throw invalid("--etcd-cert needs --etcd-cacert too");
  if (!/^\/\S+$/.test(etcdPrefix)) throw invalid("--etcd-prefix must begin with / and name a key");
}

function checkUrl(url: string): void {
  if (/^https?:\/\/([^/\s:@]+|\[[\da-fA-F:]+\]):\d+$/.test(url)) return;
  throw invalid(`'${url}' must be http://host:port or https://host:port`);
}

function readPlace(config: LogConfig): EtcdPlace {
  const { etcd: endpoints, etcdPrefix: prefix } = config;
  const { etcdCacert, etcdCert, etcdKey, etcdUserFile } = config;
  const own = etcdCert === "" ? {} : { certPem: read(etcdCert), keyPem: read(etcdKey) };
  const tls = etcdCacert === "" ? {} : { tls: { caPem: read(etcdCacert), ...own } };
  const user = etcdUserFile === "" ? {} : { user: parseUser(etcdUserFile) };
  return { prefix, access: { endpoints, ...tls, ...user } };
}

function parseUser(path: string): { readonly username: string; readonly password: string } {
  const text = read(path).toString().trimEnd();
  const at = text.indexOf(":");
  if (at < 1 || text.includes("\n")) throw invalid(`${path} must hold one line user:password`);
  return { username: text.slice(0, at), password: text.slice(at + 1) };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw invalid(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
}

function invalid(why: string): ClusterError {
  return new ClusterError("InvalidArgument", `cannot use the configuration: ${why}`);
}
