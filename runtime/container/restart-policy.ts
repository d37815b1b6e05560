import type { RestartPolicy } from "./settings.ts";

/** Source: moby, daemon/internal/restartmanager. */
const DELAY_MIN_MS = 100;
const DELAY_MAX_MS = 60_000;
const DELAY_FACTOR = 2;
/** Who ran this long starts over with the shortest delay. */
const STEADY_MS = 10_000;

/** How a run ended, as far as a restart policy asks. */
export interface EndedRun {
  readonly exitCode: number;
  readonly ranMs: number;
  /** Starts by the policy so far. */
  readonly restartCount: number;
  readonly stoppedByUser: boolean;
  /** Before the start that has just ended; 0: it was no start by the policy. */
  readonly lastDelayMs: number;
}

/** In how many milliseconds a container that has just ended is started again; undefined: it is not. */
export function planRestart(policy: RestartPolicy, run: EndedRun): number | undefined {
  if (run.stoppedByUser || !isWanted(policy, run)) return undefined;
  if (run.lastDelayMs === 0 || run.ranMs >= STEADY_MS) return DELAY_MIN_MS;
  return Math.min(run.lastDelayMs * DELAY_FACTOR, DELAY_MAX_MS);
}

/** Whether a container that does not run is started because the daemon is: it ran once, and nobody wants it stopped. */
export function isStartedWithDaemon(
  { kind }: RestartPolicy,
  { stoppedByUser }: Pick<EndedRun, "stoppedByUser">,
): boolean {
  return kind === "always" || (kind === "unless-stopped" && !stoppedByUser);
}

function isWanted(policy: RestartPolicy, { exitCode, restartCount }: EndedRun): boolean {
  switch (policy.kind) {
    case "no":
      return false;
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure":
      return exitCode !== 0 && (policy.retriesMax === 0 || restartCount < policy.retriesMax);
  }
}
