import { ClusterError } from "../../core/errors.ts";
import { planResources } from "../cgroup/resources.ts";
import { planHealth } from "../health/health-plan.ts";
import type { ImageConfig } from "../image/types.ts";
import { planLogLimits } from "./log/log-files.ts";
import { parseSignal } from "./signals.ts";
import { planCapabilities } from "./spec/capabilities.ts";
import { planCommand } from "./spec/command.ts";
import { planWorkdir } from "./spec/container-path.ts";
import { planMounts } from "./spec/mounts.ts";
import { planRlimits } from "./spec/rlimits.ts";
import { planSysctls } from "./spec/sysctls.ts";
import type { ContainerConfig } from "./types.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const HOSTNAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62})$/;
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
    throw refusal("stop timeout", String(config.stopTimeoutMs));
  if (config.stopSignal !== "") parseSignal(config.stopSignal);

  // The plans throw for what they cannot make a part of the specification of.
  planCommand(config, image);
  planWorkdir(config.workdir, image.workdir);
  planCapabilities(config.capAdd, config.capDrop);
  planRlimits(config.ulimits, Number.MAX_SAFE_INTEGER);
  planSysctls(config.sysctls, config.network);
  planResources(config.limits, true);
  planHealth(config.health, image.healthcheck);
  planLogLimits(config.log);
  const mounts = config.mounts.map((mount) => ({ ...mount, hostPath: "" }));
  planMounts(mounts, { hostname: "", hosts: "", resolvConf: "" }, "");
}

function refusal(what: string, value: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid ${what}: ${JSON.stringify(value.slice(0, 100))}`,
  );
}
