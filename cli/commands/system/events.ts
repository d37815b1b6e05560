import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { timeSeconds } from "../../flags/time.ts";
import { nanoTime } from "../../output/human.ts";
import { textLines } from "../../output/json-lines.ts";
import { compileTemplate } from "../../template/template.ts";

interface WireEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

interface EventFlags {
  readonly filter?: string[];
  readonly since?: string;
  readonly until?: string;
  readonly format?: string;
}

export function addEvents(parent: Command, context: Context): void {
  parent
    .command("events")
    .description("Show what happens on this node, as it happens")
    .option(
      "-f, --filter <key=value>",
      "type, event, image, container, label…; may be repeated",
      collect,
    )
    .option(
      "--since <time>",
      "Also what happened since: 10m, 2025-01-31T12:00:00, seconds since 1970",
    )
    .option("--until <time>", "End there")
    .option("--format <format>", "json or a Go template")
    .action(async ({ filter, since, until, format }: EventFlags) => {
      const write = writer(format);
      const nowMs = Date.now();
      const stream = await context.client().stream("/events", {
        filters: filterQuery(filter),
        since: since === undefined ? undefined : timeSeconds(since, nowMs),
        until: until === undefined ? undefined : timeSeconds(until, nowMs),
      });
      context.interrupt.addEventListener("abort", () => stream.destroy(), { once: true });
      try {
        for await (const line of textLines(stream)) context.print(`${write(line)}\n`);
      } catch (cause) {
        if (context.interrupt.aborted) return;
        throw new ClusterError("Unavailable", "the daemon ended the stream of events", { cause });
      }
    });
}

function writer(format: string | undefined): (line: string) => string {
  if (format === "json") return (line) => line;
  if (format === undefined) return writeEvent;
  const template = compileTemplate(format, { missing: "cannot be printed" });
  return (line) => template(JSON.parse(line));
}

/**
 * `2025-01-31T12:00:00.000000000Z image pull busybox:latest (name=busybox)`, in this machine's time.
 *
 * @param line JSON; its nanoseconds are more than a number can hold.
 */
export function writeEvent(line: string): string {
  const { Type, Action, Actor } = JSON.parse(line) as WireEvent;
  const [, nanos = "0"] = /"timeNano":(\d+)/.exec(line) ?? [];
  const attributes = Object.entries(Actor.Attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const details = attributes.map(([key, value]) => `${key}=${value}`).join(", ");
  return `${nanoTime(BigInt(nanos))} ${Type} ${Action} ${Actor.ID} (${details})`;
}
