import { ClusterError } from "../../core/errors.ts";
import type { HealthConfig } from "../container/types.ts";

/** How a container's health is checked, nothing left open. */
export interface HealthPlan {
  /** Program and arguments, run inside the container. */
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that make it unhealthy; at least 1. */
  readonly retries: number;
  /** From the start; failures in it do not count until the first success. */
  readonly startPeriodMs: number;
  /** Instead of the interval, in the start period. */
  readonly startIntervalMs: number;
}

/** Source: moby, daemon/health.go. */
const DEFAULTS = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 5_000,
};
/** Shorter is refused, as in Docker. */
const DURATION_MIN_MS = 1;

/**
 * What is checked: the container's own settings where it has any, else the image's.
 *
 * @returns undefined when nothing is: no test anywhere, or `NONE`.
 * @throws {ClusterError} InvalidArgument for a test of unknown form or a number that cannot be.
 */
export function planHealth(
  container: HealthConfig | undefined,
  image: HealthConfig | undefined,
): HealthPlan | undefined {
  const test = container?.test.length ? container.test : (image?.test ?? []);
  const command = planTest(test);
  if (command === undefined) return undefined;
  const pick = (field: keyof typeof DEFAULTS) =>
    checkNumber(field, container?.[field] || image?.[field] || DEFAULTS[field]);
  return {
    command,
    intervalMs: pick("intervalMs"),
    timeoutMs: pick("timeoutMs"),
    retries: pick("retries"),
    startPeriodMs: pick("startPeriodMs"),
    startIntervalMs: pick("startIntervalMs"),
  };
}

function planTest(test: readonly string[]): readonly string[] | undefined {
  const [form, ...rest] = test;
  if (form === undefined || form === "NONE") return undefined;
  if (form === "CMD" && rest.length > 0) return rest;
  if (form === "CMD-SHELL" && rest.length === 1) return ["/bin/sh", "-c", ...rest];
  throw new ClusterError(
    "InvalidArgument",
    `invalid health check ${JSON.stringify(test).slice(0, 200)}: want ["CMD", program, …], ["CMD-SHELL", line] or ["NONE"]`,
  );
}

function checkNumber(field: keyof typeof DEFAULTS, value: number): number {
  const min = field === "startPeriodMs" ? 0 : DURATION_MIN_MS;
  if (Number.isFinite(value) && value >= min && (field !== "retries" || Number.isInteger(value)))
    return value;
  throw new ClusterError(
    "InvalidArgument",
    `invalid health check: ${field} ${value} is less than ${min} or no number`,
  );
}
