import { ClusterError } from "../../../core/errors.ts";
import { parseDuration } from "../../flags/units.ts";

/** The flags that say when a node is gone. */
export interface DispatcherFlags {
  readonly heartbeat?: string;
  /** Docker's name for the same. */
  readonly dispatcherHeartbeat?: string;
  readonly downAfter?: string;
  readonly restartGrace?: string;
}

/**
 * Spec.Dispatcher of a request: only what was asked for, as what is absent stays as it is.
 *
 * @throws {ClusterError} `InvalidArgument` for what is no duration, and for a heartbeat asked for under both names.
 */
export function dispatcherBody(flags: DispatcherFlags): Record<string, number> {
  const { heartbeat, dispatcherHeartbeat, downAfter, restartGrace } = flags;
  if (heartbeat !== undefined && dispatcherHeartbeat !== undefined) {
    throw new ClusterError(
      "InvalidArgument",
      "--heartbeat and --dispatcher-heartbeat are one setting: give one of them",
    );
  }
  const given = {
    HeartbeatPeriod: heartbeat ?? dispatcherHeartbeat,
    DownAfter: downAfter,
    RestartGrace: restartGrace,
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, parseDuration(text)]],
    ),
  );
}
