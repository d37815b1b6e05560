import type { WaitCondition } from "../../api/backends/containers.ts";
import { ClusterError } from "../../core/errors.ts";
import type { ContainerId, Containers } from "../../runtime/container/types.ts";

/** One that was to be started again and is stopped does not end once more. */
const ENDS: readonly string[] = ["exited", "stopped"];

/** How a container ended. */
export interface Ended {
  readonly exitCode: number;
  readonly error: string;
}

/**
 * Waits for a container: until it does not run (at once if so), until it ends the next time, or until it is removed.
 *
 * @throws {ClusterError} NotFound at once; Cancelled when `signal` aborts.
 */
export async function waitFor(
  containers: Pick<Containers, "get" | "onEvent">,
  id: ContainerId,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<Ended> {
  const { state, restarting, exitCode, error } = containers.get(id);
  const runs = state === "running" || restarting;
  if (condition === "not-running" && !runs) return { exitCode, error };
  let last: Ended = { exitCode, error };
  let forget = () => {};
  try {
    return await new Promise<Ended>((resolve, reject) => {
      forget = containers.onEvent((event) => {
        if (event.id !== id) return;
        if (event.kind === "exited") last = { exitCode: event.exitCode, error: "" };
        // One that is removed will not end any more.
        if (event.kind === "removed") resolve(last);
        else if (ENDS.includes(event.kind) && condition !== "removed") resolve(last);
      });
      const cancel = () => reject(new ClusterError("Cancelled", "the wait was given up"));
      if (signal.aborted) cancel();
      else signal.addEventListener("abort", cancel, { once: true });
    });
  } finally {
    forget();
  }
}
