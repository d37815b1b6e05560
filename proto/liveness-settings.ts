import type { ClusterSpec } from "./gen/objects.ts";

/** Times that decide when a node is gone; settings of the swarm (DESIGN D8). */
export interface LivenessSettings {
  /** How often workers beat. */
  readonly heartbeatMs: number;
  /** Silence on a connection that stands: the host is lost. */
  readonly downAfterMs: number;
  /** A connection that broke, and every node under a new leader: the daemon may be on its way back. */
  readonly restartGraceMs: number;
}

/** What holds for a swarm that says nothing. */
export const LIVENESS_DEFAULTS: LivenessSettings = {
  heartbeatMs: 500,
  downAfterMs: 2_500,
  restartGraceMs: 10_000,
};
/** More often costs a manager of thousands of nodes too much. */
export const HEARTBEAT_MS_MIN = 100;
export const HEARTBEAT_MS_MAX = 60_000;
/** No node is waited for longer. */
export const PATIENCE_MS_MAX = 60 * 60_000;
/** One beat may be late without its node being given up. */
export const DOWN_AFTER_BEATS_MIN = 2;
/** Where only the heartbeat is set, a node is down after so many of them, as by default. */
const DOWN_AFTER_BEATS = 5;

type Spec = Pick<ClusterSpec, "heartbeatMs" | "downAfterMs" | "restartGraceMs">;

/** What holds: the swarm's own values, and for each that is 0 one that fits the others and is never below the default. */
export function livenessSettings(spec: Spec | undefined): LivenessSettings {
  const defaults = LIVENESS_DEFAULTS;
  const heartbeatMs = spec?.heartbeatMs || defaults.heartbeatMs;
  const downAfterMs =
    spec?.downAfterMs || Math.max(defaults.downAfterMs, DOWN_AFTER_BEATS * heartbeatMs);
  const restartGraceMs = spec?.restartGraceMs || Math.max(defaults.restartGraceMs, downAfterMs);
  return { heartbeatMs, downAfterMs, restartGraceMs };
}

/** What is wrong with the three times of a spec, with the arithmetic; undefined when nothing is. */
export function findLivenessFault(spec: Spec): string | undefined {
  const { heartbeatMs, downAfterMs, restartGraceMs } = livenessSettings(spec);
  if (heartbeatMs < HEARTBEAT_MS_MIN || heartbeatMs > HEARTBEAT_MS_MAX) {
    const bounds = `between ${seconds(HEARTBEAT_MS_MIN)} and ${seconds(HEARTBEAT_MS_MAX)}`;
    return `heartbeat must be ${bounds}, not ${seconds(heartbeatMs)}`;
  }
  const soonestMs = DOWN_AFTER_BEATS_MIN * heartbeatMs;
  if (downAfterMs < soonestMs) {
    const least = `${DOWN_AFTER_BEATS_MIN} × heartbeat ${seconds(heartbeatMs)} = ${seconds(soonestMs)}`;
    return `down-after ${seconds(downAfterMs)} is less than ${least}: one beat that is late would cost a node its tasks`;
  }
  if (restartGraceMs < downAfterMs) {
    const times = `restart-grace ${seconds(restartGraceMs)} is less than down-after ${seconds(downAfterMs)}`;
    return `${times}: a host that answers would be given up sooner than one that does not`;
  }
  const longestMs = Math.max(downAfterMs, restartGraceMs);
  if (longestMs <= PATIENCE_MS_MAX) return undefined;
  return `down-after and restart-grace may be ${seconds(PATIENCE_MS_MAX)} at most, not ${seconds(longestMs)}`;
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
