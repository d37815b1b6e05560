import type { ContainerSpec, HealthConfig, Mount, Ulimit } from "../../../proto/gen/objects.ts";
import { checkImage } from "./image.ts";
import { checkReferences } from "./payload-spec.ts";
import {
  checkCount,
  checkDuration,
  checkLabels,
  checkText,
  findDuplicate,
  refuse,
} from "./refuse.ts";

/** The least a health check may be asked to wait. Source: moby, daemon/container.go, MinimumDuration. */
const HEALTH_NS_MIN = 1e6;
const MOUNTS_MAX = 500;
const HOSTNAME_CHARS_MAX = 253;
/** Names of kernel settings; no separators, blanks or line breaks that another setting could hide behind. */
const SYSCTL_NAME = /^[a-zA-Z0-9][\w.*/-]*$/;

/** @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be. */
export function checkContainer(container: ContainerSpec): void {
  checkImage(container.image);
  checkLabels(container.labels);
  for (const text of [
    ...container.command,
    ...container.args,
    container.user,
    container.hostname,
  ]) {
    checkText("ContainerSpec: an argument", text);
  }
  for (const entry of container.env) checkEnv(entry);
  if (container.dir !== "") checkPath("working directory", container.dir);
  if (container.hostname.length > HOSTNAME_CHARS_MAX) {
    refuse(`ContainerSpec: hostname must be ${HOSTNAME_CHARS_MAX} characters or fewer`);
  }
  checkDuration("ContainerSpec: stop-grace-period", container.stopGracePeriodNs);
  if (container.healthcheck !== undefined) checkHealth(container.healthcheck);
  checkMounts(container.mounts);
  checkReferences(container.secrets, container.configs);
  for (const [name, value] of Object.entries(container.sysctls)) checkSysctl(name, value);
  for (const ulimit of container.ulimits) checkUlimit(ulimit);
  checkCount("oom-score-adj", container.oomScoreAdj + 1000, { max: 2000 });
}

function checkEnv(entry: string): void {
  checkText("ContainerSpec: an environment variable", entry);
  const name = entry.split("=", 1)[0];
  if (name === "") refuse(`invalid environment variable: ${JSON.stringify(entry)}`);
}

/** Absolute and in its shortest form: no `..` by which to leave the container. */
function checkPath(what: string, path: string): void {
  checkText(what, path);
  if (!path.startsWith("/")) refuse(`invalid ${what} ${JSON.stringify(path)}: must be absolute`);
  if (path.split("/").includes("..")) {
    refuse(`invalid ${what} ${JSON.stringify(path)}: must not contain '..'`);
  }
}

function checkHealth(health: HealthConfig): void {
  const durations = {
    Interval: health.intervalNs,
    Timeout: health.timeoutNs,
    StartPeriod: health.startPeriodNs,
    StartInterval: health.startIntervalNs,
  };
  for (const [name, durationNs] of Object.entries(durations)) {
    checkDuration(`ContainerSpec: ${name} in HealthConfig`, durationNs);
    if (durationNs !== 0 && durationNs < HEALTH_NS_MIN) {
      refuse(`ContainerSpec: ${name} in HealthConfig cannot be less than 1ms`);
    }
  }
  checkCount("ContainerSpec: Retries in HealthConfig", health.retries, { max: 1_000_000 });
  const [kind] = health.test;
  if (kind !== undefined && !["NONE", "CMD", "CMD-SHELL", ""].includes(kind)) {
    refuse(`ContainerSpec: Unknown healthcheck type '${kind}' (expected 'CMD' or 'CMD-SHELL')`);
  }
}

function checkMounts(mounts: readonly Mount[]): void {
  if (mounts.length > MOUNTS_MAX) refuse(`at most ${MOUNTS_MAX} mounts may be set`);
  for (const mount of mounts) checkMount(mount);
  const twice = findDuplicate(mounts.map(({ target }) => target.replace(/\/+$/, "")));
  if (twice !== undefined) refuse(`ContainerSpec: duplicate mount point: ${twice}`);
}

function checkMount({ type, source, target, tmpfsSizeBytes }: Mount): void {
  checkPath("mount target", target);
  if (target.replace(/\/+$/, "") === "") refuse("invalid mount target: must not be '/'");
  switch (type) {
    case "bind":
      if (source === "")
        refuse(`invalid mount config for type "bind": field Source must not be empty`);
      checkPath("mount source", source);
      break;
    case "volume":
      checkText("volume name", source);
      if (source !== "" && !/^[a-zA-Z0-9][\w.-]*$/.test(source)) {
        refuse(`${JSON.stringify(source)} includes invalid characters for a local volume name`);
      }
      break;
    case "tmpfs":
      if (source !== "")
        refuse(`invalid mount config for type "tmpfs": field Source must not be specified`);
      checkCount("tmpfs size", tmpfsSizeBytes, { max: Number.MAX_SAFE_INTEGER });
      break;
    default:
      refuse(`invalid mount type ${JSON.stringify(type)}: use bind, volume or tmpfs`);
  }
}

function checkSysctl(name: string, value: string): void {
  if (!SYSCTL_NAME.test(name) || name.includes("..") || /[\0\n\r]/.test(value)) {
    refuse(`invalid sysctl ${JSON.stringify(name)}`);
  }
}

function checkUlimit({ name, soft, hard }: Ulimit): void {
  if (!/^[a-z]+$/.test(name)) refuse(`invalid ulimit type: ${JSON.stringify(name)}`);
  // -1: no limit.
  checkCount(`ulimit ${name}`, soft, { min: -1, max: Number.MAX_SAFE_INTEGER });
  checkCount(`ulimit ${name}`, hard, { min: -1, max: Number.MAX_SAFE_INTEGER });
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    refuse(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
}
