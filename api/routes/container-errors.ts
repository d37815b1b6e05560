import { ClusterError } from "../../core/errors.ts";
import type { ContainerFacts } from "../backends/containers.ts";
import { frameStartFailure } from "../containers/start-failure.ts";

/** Docker's words and codes for what a container's state does not allow. */

/** With 409, as everything about a container's state. */
export function conflict(message: string, cause?: unknown): ClusterError {
  return new ClusterError("Aborted", message, cause === undefined ? {} : { cause });
}

/** The refusal of a name that another container has; undefined for every other error. */
export function conflictOfName(error: unknown, name: string): ClusterError | undefined {
  if (!(error instanceof ClusterError) || error.code !== "AlreadyExists") return undefined;
  const { holder } = error.details;
  if (holder === undefined) return undefined;
  return conflict(
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
    error,
  );
}

/** Whether a call came too late: the container was in that state already. */
export function isStateError(error: unknown): boolean {
  return (
    error instanceof ClusterError &&
    error.code === "FailedPrecondition" &&
    error.details.container !== undefined
  );
}

/**
 * Why a container could not be started: the OCI runtime's words in Docker's frame, by which its clients choose their exit
 * code. A program that is not there or cannot be run is the caller's mistake.
 *
 * Source: moby, daemon/start_unix.go; docker/cli, runStartContainerErr.
 */
export function startFailure(error: unknown): unknown {
  if (!(error instanceof ClusterError)) return error;
  const { exitCode } = error.details;
  if (error.code === "FailedPrecondition") return conflict(error.message, error);
  if (typeof exitCode !== "number") return error;
  const code = exitCode === 126 || exitCode === 127 ? "InvalidArgument" : "Internal";
  return new ClusterError(code, frameStartFailure(error.message), { cause: error });
}

/** @throws {ClusterError} 409 unless it runs and is not about to be started again. */
export function requireRunning({ id, state, restarting }: ContainerFacts): void {
  if (restarting)
    throw conflict(`Container ${id} is restarting, wait until the container is running`);
  if (state !== "running") throw conflict(`container ${id} is not running`);
}
