import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { WireTask } from "../../client/wire.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { fetchNames } from "../names.ts";
import { formatTasks } from "../task-list.ts";
import { getService } from "./create.ts";

export interface TaskOptions {
  readonly filter?: string[];
  readonly format?: string;
  readonly quiet?: boolean;
  readonly trunc: boolean;
  readonly resolve: boolean;
}

export function addServicePs(parent: Command, context: Context): void {
  const command = parent
    .command("ps")
    .description("List the tasks of services")
    .argument("<service...>", "Names or ids");
  addTaskFlags(command).action(async (refs: string[], options: TaskOptions) => {
    const answers = await Promise.allSettled(refs.map((ref) => getService(context, ref)));
    const ids = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value.ID : []));
    if (ids.length > 0) await printTasks(context, { service: ids }, options);
    // As docker does: what there is is shown, and what there is not makes it a failure all the same.
    const missing = answers.flatMap((answer) =>
      answer.status === "rejected" ? [asClusterError(answer.reason)] : [],
    );
    for (const { message } of missing) context.warn(`${message}\n`);
    if (missing.length > 0) throw new ExitError(ExitCode.Error);
  });
}

/** @throws anything else: a bug. */
function asClusterError(error: unknown): ClusterError {
  if (error instanceof ClusterError) return error;
  throw error;
}

/** The flags of `service ps` and `node ps`. */
export function addTaskFlags(command: Command): Command {
  return command
    .option("-f, --filter <filter>", "Filter, desired-state=running", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("-q, --quiet", "Only ids")
    .option("--no-trunc", "Do not cut ids, digests and errors")
    .option("--no-resolve", "Show ids instead of names");
}

export async function printTasks(
  context: Context,
  fixed: Record<string, string[]>,
  options: TaskOptions,
): Promise<void> {
  const client = context.client();
  const [tasks, names] = await Promise.all([
    client.get<WireTask[]>("/tasks", { filters: filterQuery(options.filter, fixed) }),
    fetchNames(client, options.resolve),
  ]);
  context.print(formatTasks(tasks, names, { ...options, nowMs: Date.now() }));
}
