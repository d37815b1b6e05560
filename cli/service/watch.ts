import { setTimeout as sleep } from "node:timers/promises";
import { encodeFilters } from "../client/client.ts";
import type { WireNode, WireService, WireTask } from "../client/wire.ts";
import { type Context, ExitCode } from "../context.ts";
import { liveText } from "../output/live-text.ts";
import { judgeProgress, type Progress } from "./progress.ts";

const POLL_MS = 200;
/** Converged must stay so this long: a container that crashes at its start is caught. */
const STABLE_MS = 1000;
/** Not placeable or failing must stay so this long: a node may be on its way. */
const PATIENCE_MS = 5000;
const ROWS_MAX = 20;

/**
 * Shows a service converging until it has, cannot, or `timeoutMs` (0: never) is over. Ctrl-C leaves it to go on.
 *
 * On a terminal the view is redrawn in place; otherwise each change is a line.
 */
export async function watchService(
  context: Context,
  id: string,
  timeoutMs: number,
): Promise<ExitCode> {
  const view = context.isTerminal ? await liveView() : lineView(context);
  const start = performance.now();
  let verdict = { outcome: "pending", since: start };
  for (;;) {
    const progress = await look(context, id);
    view.show(progress);
    const now = performance.now();
    if (progress.outcome !== verdict.outcome) verdict = { outcome: progress.outcome, since: now };
    const patienceMs = progress.outcome === "converged" ? STABLE_MS : PATIENCE_MS;
    if (progress.outcome !== "pending" && now - verdict.since >= patienceMs)
      return conclude(context, view, id, progress);
    if (progress.outcome === "paused" || progress.outcome === "rolledBack")
      return conclude(context, view, id, progress);
    if (timeoutMs > 0 && now - start >= timeoutMs) {
      view.done();
      const { running, desired } = progress;
      context.warn(
        `timed out: ${running} of ${desired} tasks of ${id} are running. It goes on in the background: muster service ps ${id}\n`,
      );
      return ExitCode.Timeout;
    }
    if (!(await waitOrInterrupt(context))) {
      view.done();
      context.warn(
        `Operation continuing in background.\nUse \`muster service ps ${id}\` to check progress.\n`,
      );
      return ExitCode.Ok;
    }
  }
}

async function look({ client }: Context, id: string): Promise<Progress> {
  const [service, tasks, nodes] = await Promise.all([
    client().get<WireService>(`/services/${id}`),
    client().get<WireTask[]>("/tasks", { filters: encodeFilters({ service: [id] }) }),
    client().get<WireNode[]>("/nodes"),
  ]);
  return judgeProgress(service, tasks, nodes);
}

/** False when the user pressed Ctrl-C. */
async function waitOrInterrupt({ interrupt }: Context): Promise<boolean> {
  try {
    await sleep(POLL_MS, undefined, { signal: interrupt });
    return true;
  } catch {
    return false;
  }
}

function conclude(
  context: Context,
  view: View,
  id: string,
  { outcome, reason }: Progress,
): ExitCode {
  view.done();
  switch (outcome) {
    case "unplaceable":
      context.warn(
        `cannot be placed: ${reason}. It is tried again when nodes change: muster service ps ${id}\n`,
      );
      return ExitCode.Unplaceable;
    case "failing":
      context.warn(
        `tasks keep failing: ${reason}. They are retried with growing delay: muster service ps --no-trunc ${id}\n`,
      );
      return ExitCode.Error;
    case "paused":
      context.warn(`update paused: ${reason}\n`);
      return ExitCode.Paused;
    case "rolledBack":
      context.warn(`rolled back: ${reason}\n`);
      return ExitCode.RolledBack;
    case "converged":
    case "pending":
      context.warn(`Service ${id} converged\n`);
      return ExitCode.Ok;
  }
}

interface View {
  show(progress: Progress): void;
  done(): void;
}

async function liveView(): Promise<View> {
  const live = await liveText(process.stderr);
  return {
    show(progress) {
      const rows = progress.slots.slice(0, ROWS_MAX).map(({ label, state, err }) => {
        return `${label}/${progress.desired}: ${state.padEnd(9)} ${err}`.trimEnd();
      });
      live.show([summary(progress), ...rows].join("\n"));
    },
    done: () => live.done(),
  };
}

function lineView({ warn }: Context): View {
  let last = "";
  return {
    show(progress) {
      const errors = new Set(progress.slots.map(({ err }) => err).filter((err) => err !== ""));
      const line = [summary(progress), ...errors].join(": ");
      if (line !== last) warn(`${line}\n`);
      last = line;
    },
    done() {},
  };
}

function summary({ running, desired }: Progress): string {
  return `overall progress: ${running} out of ${desired} tasks`;
}
