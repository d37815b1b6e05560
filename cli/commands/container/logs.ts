import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { timeSeconds } from "../../flags/time.ts";
import { LogDemux } from "../../output/log-demux.ts";
import { containerPath } from "./each.ts";

interface LogsOptions {
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly details?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly tail?: string;
}

export function addContainerLogs(parent: Command, context: Context): void {
  parent
    .command("logs")
    .description("Show the output of a container")
    .argument("<container>", "Name or id")
    .option("-f, --follow", "Go on as it comes")
    .option("-t, --timestamps", "Show times")
    .option("--details", "Show what the log's options ask for")
    .option("--since <time>", "From a time (2026-01-02T13:23:37Z) or for a duration (42m)")
    .option("--until <time>", "Up to a time or a duration ago")
    .option("-n, --tail <lines>", "Lines from the end", "all")
    .action(async (ref: string, options: LogsOptions) => showLogs(context, ref, options));
}

async function showLogs(context: Context, ref: string, options: LogsOptions): Promise<void> {
  const { since, until } = options;
  const nowMs = Date.now();
  const stream = await context.client().stream(containerPath(ref, "logs"), {
    stdout: true,
    stderr: true,
    follow: options.follow,
    timestamps: options.timestamps,
    details: options.details,
    tail: options.tail,
    since: since === undefined ? undefined : timeSeconds(since, nowMs),
    until: until === undefined ? undefined : timeSeconds(until, nowMs),
  });
  context.interrupt.addEventListener("abort", () => stream.destroy());
  const framed = stream.headers["content-type"]?.includes("multiplexed") ?? false;
  const demux = new LogDemux(framed, ({ stderr, text }) => {
    if (stderr) context.warn(text);
    else context.print(text);
  });
  try {
    for await (const chunk of stream) demux.push(chunk as Buffer);
  } catch (error) {
    if (!context.interrupt.aborted) throw error;
  }
}
