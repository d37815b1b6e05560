import { type JsonObject, objectAt, optionalObjectAt, textsAt } from "../../image/json.ts";
import type { ImageConfig, ImageHealthcheck } from "../../image/types.ts";

/** What an image says of its containers, as a build changes it. */
export interface StageConfig extends ImageConfig {
  /** Empty: `/bin/sh -c`. */
  readonly shell: readonly string[];
  /** Instructions for those who build from it. */
  readonly onBuild: readonly string[];
  /** What else its builder wrote. */
  readonly rest: JsonObject;
}

const NANOS_PER_MS = 1e6;
const ITEMS_MAX = 10_000;
/** Source: moby, DefaultPathEnv. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What an image of nothing says. */
export const EMPTY_CONFIG: StageConfig = {
  entrypoint: [],
  cmd: [],
  env: [],
  user: "",
  workdir: "",
  labels: {},
  exposedPorts: [],
  volumes: [],
  stopSignal: "",
  healthcheck: undefined,
  shell: [],
  onBuild: [],
  rest: {},
};

/** The fields we write ourselves. */
const OWN = new Set([
  ...["Entrypoint", "Cmd", "Env", "User", "WorkingDir", "Labels", "ExposedPorts", "Volumes"],
  ...["StopSignal", "Healthcheck", "Shell", "OnBuild"],
]);
/** Of a container, in images of old builders. */
const NOT_KEPT = new Set(["Hostname", "Image", "OpenStdin", "StdinOnce"]);

/** Of an image: its read configuration and its document. @throws {ClusterError} InvalidArgument. */
export function readStageConfig(config: ImageConfig, rawConfig: string): StageConfig {
  const document = objectAt(JSON.parse(rawConfig), "image configuration");
  const raw = optionalObjectAt(document.config, "image config");
  const rest = Object.entries(raw).filter(([key]) => !OWN.has(key) && !NOT_KEPT.has(key));
  return {
    ...config,
    shell: textsAt(raw.Shell, "image Shell", ITEMS_MAX),
    onBuild: textsAt(raw.OnBuild, "image OnBuild", ITEMS_MAX),
    rest: Object.fromEntries(rest),
  };
}

/** With a PATH, which every image built has. */
export function withPath(config: StageConfig): StageConfig {
  if (config.env.some((line) => line.startsWith("PATH="))) return config;
  return { ...config, env: [...config.env, `PATH=${DEFAULT_PATH}`] };
}

/** The `config` object of an image's document; the same configuration gives the same object. */
export function writeStageConfig(config: StageConfig): JsonObject {
  const { rest, healthcheck, user, workdir, labels, stopSignal } = config;
  return {
    ...rest,
    ...(user === "" ? {} : { User: user }),
    ...keys("ExposedPorts", config.exposedPorts),
    Env: config.env,
    ...(config.entrypoint.length === 0 ? {} : { Entrypoint: config.entrypoint }),
    ...(config.cmd.length === 0 ? {} : { Cmd: config.cmd }),
    ...(healthcheck === undefined ? {} : { Healthcheck: writeHealthcheck(healthcheck) }),
    ...keys("Volumes", config.volumes),
    ...(workdir === "" ? {} : { WorkingDir: workdir }),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }),
    ...(config.onBuild.length === 0 ? {} : { OnBuild: config.onBuild }),
    ...(stopSignal === "" ? {} : { StopSignal: stopSignal }),
    ...(config.shell.length === 0 ? {} : { Shell: config.shell }),
  };
}

function keys(name: string, list: readonly string[]): JsonObject {
  if (list.length === 0) return {};
  return { [name]: Object.fromEntries(list.map((key) => [key, {}])) };
}

function writeHealthcheck(check: ImageHealthcheck): JsonObject {
  const fields = {
    Interval: check.intervalMs * NANOS_PER_MS,
    Timeout: check.timeoutMs * NANOS_PER_MS,
    StartPeriod: check.startPeriodMs * NANOS_PER_MS,
    StartInterval: check.startIntervalMs * NANOS_PER_MS,
    Retries: check.retries,
  };
  const set = Object.entries(fields).filter(([, value]) => value !== 0);
  return { Test: check.test, ...Object.fromEntries(set) };
}
