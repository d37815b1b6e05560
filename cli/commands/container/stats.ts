import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { userSettings } from "../../client/user-settings.ts";
import type { Context } from "../../context.ts";
import { jsonLines } from "../../output/json-lines.ts";
import { formatList } from "../../output/list.ts";
import { liveText } from "../../output/live-text.ts";
import { usageRow, type WireStats } from "../../output/usage.ts";
import { containerPath } from "./each.ts";

const COLUMNS = [
  { header: "CONTAINER ID", field: "ID" },
  { header: "NAME", field: "Name" },
  { header: "CPU %", field: "CPUPerc" },
  { header: "MEM USAGE / LIMIT", field: "MemUsage" },
  { header: "MEM %", field: "MemPerc" },
  { header: "NET I/O", field: "NetIO" },
  { header: "BLOCK I/O", field: "BlockIO" },
  { header: "PIDS", field: "PIDs" },
];
const REFRESH_MS = 1000;

interface StatsOptions {
  readonly all?: boolean;
  readonly stream: boolean;
  readonly trunc: boolean;
  readonly format?: string | undefined;
}

export function addContainerStats(parent: Command, context: Context): void {
  parent
    .command("stats")
    .description("Show what containers use, as it changes")
    .argument("[container...]", "Names or ids (default: all that run)")
    .option("-a, --all", "Also those that do not run")
    .option("--format <format>", "table, json or a Go template")
    .option("--no-stream", "Once")
    .option("--no-trunc", "Whole ids")
    .action(async (refs: string[], given: StatsOptions) => {
      const options = { format: userSettings(context).statsFormat, ...given };
      if (options.stream) await watch(context, refs, options);
      else await showOnce(context, refs, options);
    });
}

async function showOnce(
  context: Context,
  refs: readonly string[],
  options: StatsOptions,
): Promise<void> {
  const client = context.client();
  const ids = refs.length > 0 ? refs : await listed(context, options);
  const asked = ids.map((ref) =>
    client.get<WireStats>(containerPath(ref, "stats"), { stream: "false" }),
  );
  context.print(table(await Promise.all(asked), options));
}

/** One request for each container, whose answer goes on; what they said last is shown once a second. */
async function watch(
  context: Context,
  refs: readonly string[],
  options: StatsOptions,
): Promise<void> {
  const { interrupt } = context;
  const latest = new Map<string, WireStats | undefined>();
  const show = await newScreen(context);
  const failures: unknown[] = [];
  const follow = async (ref: string) => {
    latest.set(ref, undefined);
    try {
      for await (const stats of statsOf(context, ref)) latest.set(ref, stats);
    } catch (error) {
      if (refs.length > 0 && !interrupt.aborted) failures.push(error);
    } finally {
      latest.delete(ref);
    }
  };
  while (!interrupt.aborted) {
    for (const ref of refs.length > 0 ? refs : await listed(context, options))
      if (!latest.has(ref)) void follow(ref);
    await sleep(REFRESH_MS, undefined, { signal: interrupt }).catch(() => {});
    if (failures.length > 0) throw failures[0];
    const known = [...latest.values()].filter((stats) => stats !== undefined);
    if (!interrupt.aborted) show(table(known, options));
  }
}

async function* statsOf({ client, interrupt }: Context, ref: string): AsyncGenerator<WireStats> {
  const stream = await client().stream(containerPath(ref, "stats"), {});
  const end = () => void stream.destroy();
  interrupt.addEventListener("abort", end, { once: true });
  try {
    yield* jsonLines<WireStats>(stream);
  } finally {
    interrupt.removeEventListener("abort", end);
  }
}

async function listed(context: Context, { all }: StatsOptions): Promise<readonly string[]> {
  const found = await context.client().get<{ Id: string }[]>("/containers/json", { all });
  return found.map(({ Id }) => Id);
}

function table(stats: readonly WireStats[], options: StatsOptions): string {
  const rows = stats.map((one) => usageRow(one, options.trunc));
  return formatList({ columns: COLUMNS, rows }, options);
}

/** On a terminal each table takes the place of the one before; elsewhere they follow each other. */
async function newScreen(context: Context): Promise<(text: string) => void> {
  if (process.stdout.isTTY !== true) return context.print;
  const live = await liveText(process.stdout);
  return (text) => live.show(text.trimEnd());
}
