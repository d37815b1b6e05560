import { ClusterError } from "../../core/errors.ts";
import { parseDigest } from "./digest.ts";
import {
  countAt,
  type JsonObject,
  objectAt,
  optionalObjectAt,
  parseJsonObject,
  textAt,
  textsAt,
} from "./json.ts";
import { LAYERS_MAX } from "./manifest.ts";
import type { Digest, ImageConfig, ImageHealthcheck, Platform } from "./types.ts";

/** Larger than any seen; it is held in memory. */
export const CONFIG_BYTES_MAX = 8 * 1024 * 1024;
/** Words of a command, lines of an environment. */
const ITEMS_MAX = 10_000;
const NANOS_PER_MS = 1_000_000;

/** The configuration document, read. */
export interface ParsedConfig {
  readonly config: ImageConfig;
  readonly platform: Platform;
  readonly created: string;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[];
}

/**
 * Reads an image's configuration.
 *
 * @throws {ClusterError} InvalidArgument, also when it is not a container image's (a chart, a signature).
 * Source: OCI image-spec, config.md; moby, docker_image.go for Healthcheck.
 */
export function parseImageConfig(bytes: Uint8Array): ParsedConfig {
  const document = parseJsonObject(bytes, "image configuration");
  const rootfs = optionalObjectAt(document.rootfs, "image rootfs");
  if (rootfs.type !== "layers")
    throw new ClusterError("InvalidArgument", "not a container image: it has no root file system");
  return {
    config: parseConfig(optionalObjectAt(document.config, "image config")),
    platform: {
      os: textAt(document.os, "image os") || "linux",
      architecture: textAt(document.architecture, "image architecture"),
      variant: textAt(document.variant, "image variant"),
    },
    created: textAt(document.created, "image created"),
    diffIds: textsAt(rootfs.diff_ids, "image diff_ids", LAYERS_MAX).map(parseDigest),
  };
}

function parseConfig(config: JsonObject): ImageConfig {
  return {
    entrypoint: textsAt(config.Entrypoint, "image Entrypoint", ITEMS_MAX),
    cmd: textsAt(config.Cmd, "image Cmd", ITEMS_MAX),
    env: textsAt(config.Env, "image Env", ITEMS_MAX),
    user: textAt(config.User, "image User"),
    workdir: textAt(config.WorkingDir, "image WorkingDir"),
    labels: parseLabels(optionalObjectAt(config.Labels, "image Labels")),
    exposedPorts: Object.keys(optionalObjectAt(config.ExposedPorts, "image ExposedPorts")),
    volumes: Object.keys(optionalObjectAt(config.Volumes, "image Volumes")),
    stopSignal: textAt(config.StopSignal, "image StopSignal"),
    healthcheck: parseHealthcheck(config.Healthcheck),
  };
}

function parseLabels(labels: JsonObject): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  return Object.fromEntries(entries.map(([key, value]) => [key, textAt(value, "image label")]));
}

function parseHealthcheck(value: unknown): ImageHealthcheck | undefined {
  if (value === undefined || value === null) return undefined;
  const check = objectAt(value, "image Healthcheck");
  return {
    test: textsAt(check.Test, "image Healthcheck Test", ITEMS_MAX),
    intervalMs: nanosAt(check.Interval, "image Healthcheck Interval"),
    timeoutMs: nanosAt(check.Timeout, "image Healthcheck Timeout"),
    retries: countAt(check.Retries, "image Healthcheck Retries"),
    startPeriodMs: nanosAt(check.StartPeriod, "image Healthcheck StartPeriod"),
    startIntervalMs: nanosAt(check.StartInterval, "image Healthcheck StartInterval"),
  };
}

function nanosAt(value: unknown, what: string): number {
  return countAt(value, what) / NANOS_PER_MS;
}
