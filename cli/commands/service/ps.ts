import type { Command } from "commander";
import type { WireTask } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
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
    const services = await Promise.all(refs.map((ref) => getService(context, ref)));
    await printTasks(context, { service: services.map((service) => service.ID) }, options);
  });
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
