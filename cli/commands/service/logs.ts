import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { WireTask } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { timeSeconds } from "../../flags/time.ts";
import { LogDemux } from "../../output/log-demux.ts";
import { fetchNames, type Names, taskName } from "../names.ts";
import { getService } from "./create.ts";

interface LogsOptions {
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly since?: string;
  readonly tail?: string;
  readonly raw?: boolean;
  readonly resolve: boolean;
  readonly taskIds: boolean;
}

export function addServiceLogs(parent: Command, context: Context): void {
  parent
    .command("logs")
    .description("Show the output of a service's or a task's containers")
    .argument("<service|task>", "Name or id of a service, id of a task")
    .option("-f, --follow", "Go on as it comes")
    .option("-t, --timestamps", "Show times")
    .option("--since <time>", "From a time (2026-01-02T13:23:37Z) or for a duration (42m)")
    .option("-n, --tail <lines>", "Lines from the end", "all")
    .option("--raw", "Only what the containers wrote")
    .option("--no-resolve", "Show ids instead of names")
    .option("--no-task-ids", "Do not show task ids")
    .action(async (ref: string, options: LogsOptions) => showLogs(context, ref, options));
}

async function showLogs(context: Context, ref: string, options: LogsOptions): Promise<void> {
  const path = await findLogs(context, ref);
  const label = await labeller(context, options);
  const stream = await context.client().stream(path, {
    stdout: true,
    stderr: true,
    follow: options.follow ?? false,
    timestamps: options.timestamps ?? false,
    details: true,
    tail: options.tail,
    since: options.since === undefined ? undefined : timeSeconds(options.since, Date.now()),
  });
  context.interrupt.addEventListener("abort", () => stream.destroy());
  const framed = stream.headers["content-type"]?.includes("multiplexed") ?? false;
  const demux = new LogDemux(framed, ({ stderr, details, text }) => {
    const line = `${label(details)}${text}`;
    if (stderr) context.warn(line);
    else context.print(line);
  });
  try {
    for await (const chunk of stream) demux.push(chunk as Buffer);
  } catch (error) {
    if (!context.interrupt.aborted) throw error;
  }
}

/** A task's logs have a path of their own. */
async function findLogs(context: Context, ref: string): Promise<string> {
  try {
    return `/services/${(await getService(context, ref)).ID}/logs`;
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === "NotFound")) throw error;
  }
  try {
    const task = await context.client().get<WireTask>(`/tasks/${encodeURIComponent(ref)}`);
    return `/tasks/${task.ID}/logs`;
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === "NotFound")) throw error;
    throw new ClusterError("NotFound", `no such task or service: ${ref}`);
  }
}

/** "web.1.abc@node1    | ", or nothing with --raw. */
async function labeller(
  context: Context,
  options: LogsOptions,
): Promise<(details: Map<string, string>) => string> {
  if (options.raw === true) return () => "";
  const names = await fetchNames(context.client(), options.resolve);
  const tasks = new Map(
    (await context.client().get<WireTask[]>("/tasks")).map((task) => [task.ID, task]),
  );
  return (details) => {
    const taskId = details.get("com.docker.swarm.task.id") ?? "";
    const nodeId = details.get("com.docker.swarm.node.id") ?? "";
    const name = nameOf(tasks.get(taskId), taskId, names);
    return `${name}${options.taskIds ? `.${taskId.slice(0, 12)}` : ""}@${names.node(nodeId)}    | `;
  };
}

function nameOf(task: WireTask | undefined, taskId: string, names: Names): string {
  return task === undefined ? taskId : taskName(task, names);
}
