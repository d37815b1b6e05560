import { isIP } from "node:net";
import { ClusterError } from "../../core/errors.ts";
import { checkLimits } from "../cgroup/resources.ts";
import { planHealth } from "../health/health-plan.ts";
import type { ImageConfig } from "../image/types.ts";
import { checkLog } from "./log/log-options.ts";
import { parseSignal } from "./signals.ts";
import { planCommand } from "./spec/command.ts";
import { planConfinement } from "./spec/confinement.ts";
import { planWorkdir } from "./spec/container-path.ts";
import { checkDevices } from "./spec/devices.ts";
import { planMounts } from "./spec/mounts.ts";
import { planRlimits } from "./spec/rlimits.ts";
import { planSysctls } from "./spec/sysctls.ts";
import type { ContainerConfig } from "./types.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** What the kernel takes; Docker asks for no more. */
const HOSTNAME = /^[!-~]{1,64}$/;
const DOMAINNAME = HOSTNAME;
const LIST_MAX = 10_000;
const TEXT_BYTES_MAX = 128 * 1024;
const STOP_TIMEOUT_MS_MAX = 365 * 24 * 3600 * 1000;

/**
 * Refuses at creation what could only fail at the start, whatever the root file system holds.
 *
 * @throws {ClusterError} InvalidArgument.
 */
export function checkConfig(config: ContainerConfig, image: ImageConfig): void {
  if (!NAME.test(config.name)) throw refusal("name", config.name);
  if (config.hostname !== "" && !HOSTNAME.test(config.hostname))
    throw refusal("hostname", config.hostname);
  for (const entry of config.env)
    if (entry === "" || entry.startsWith("=")) throw refusal("environment variable", entry);
  const texts = [...config.env, ...config.command, ...config.entrypoint, ...config.groups];
  if (texts.length > LIST_MAX) throw refusal("configuration: too many texts", String(texts.length));
  for (const text of [...texts, config.user, ...config.extraHosts, ...config.addresses])
    if (text.includes("\0") || Buffer.byteLength(text) > TEXT_BYTES_MAX)
      throw refusal("text: it has a NUL or is too long", text);
  for (const line of config.extraHosts)
    if (line.includes("\n")) throw refusal("line for /etc/hosts", line);
  if (!(config.stopTimeoutMs <= STOP_TIMEOUT_MS_MAX))
    throw refusal("stop timeout", `${config.stopTimeoutMs / 1000} s`);
  if (config.stopSignal !== "") parseSignal(config.stopSignal);

  checkSettings(config);
  // The plans throw for what they cannot make a part of the specification of.
  planCommand(config, image);
  planWorkdir(config.workdir, image.workdir);
  planConfinement(config, undefined, NO_SECCOMP_FACTS);
  checkDevices(config.devices);
  planRlimits(config.ulimits, Number.MAX_SAFE_INTEGER);
  planSysctls(config.sysctls, config);
  checkLimits(config.limits);
  planHealth(config.health, image.healthcheck);
  checkLog(config.log);
  const mounts = config.mounts.map((mount) => ({ ...mount, hostPath: "" }));
  const files = { hostname: "", hosts: "", resolvConf: "" };
  planMounts({ config, mounts, files, initPath: "", shm: { kind: "none" }, host: ANY_HOST });
}

/** What it cannot do is said when the container starts. */
const ANY_HOST = { canReadOnlyBelow: true };

const NO_SECCOMP_FACTS = {
  architecture: "",
  kernel: "",
  absentArchitectures: [],
  ownCapabilities: "0",
  hasApparmor: false,
};

function checkSettings(config: ContainerConfig): void {
  const { domainname, cgroupParent, dns, shmSizeBytes, restart } = config;
  if (domainname !== "" && !DOMAINNAME.test(domainname)) throw refusal("domainname", domainname);
  if (cgroupParent.split("/").includes("..") || !/^[\w./:@-]*$/.test(cgroupParent))
    throw refusal("cgroup parent", cgroupParent);
  if (!Number.isSafeInteger(shmSizeBytes) || shmSizeBytes < 0)
    throw new ClusterError("InvalidArgument", "SHM size can not be less than 0");
  if (!Number.isSafeInteger(restart.retriesMax) || restart.retriesMax < 0)
    throw refusal("number of retries", String(restart.retriesMax));
  for (const server of dns.servers) if (isIP(server) === 0) throw refusal("DNS address", server);
  for (const text of [...dns.search, ...dns.options])
    if (text === "" || /\s/.test(text)) throw refusal("DNS option or search domain", text);
}

function refusal(what: string, value: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid ${what}: ${JSON.stringify(value.slice(0, 100))}`,
  );
}
