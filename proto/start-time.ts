import { waitEndMs } from "../core/wall-wait.ts";
import type { Task } from "./gen/objects.ts";

/** When a task may start by this node's wall clock: its delay began when it was made. */
export function startTimeMs(
  { startAfterMs, meta }: Pick<Task, "startAfterMs" | "meta">,
  nowMs: number,
): number {
  return waitEndMs({ sinceMs: meta?.createdAtMs ?? 0, untilMs: startAfterMs }, nowMs);
}
