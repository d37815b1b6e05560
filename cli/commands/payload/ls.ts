import type { Command } from "commander";
import type { WirePayload } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { humanDuration } from "../../output/human.ts";
import { formatList, type Row } from "../../output/list.ts";

const TIMES = [
  { header: "CREATED", field: "CreatedAt" },
  { header: "UPDATED", field: "UpdatedAt" },
];
const ID_AND_NAME = [
  { header: "ID", field: "ID" },
  { header: "NAME", field: "Name" },
];
const CONFIG_COLUMNS = [...ID_AND_NAME, ...TIMES];
const SECRET_COLUMNS = [...ID_AND_NAME, { header: "DRIVER", field: "Driver" }, ...TIMES];

interface ListOptions {
  readonly filter?: string[];
  readonly format?: string;
  readonly quiet?: boolean;
}

export function addConfigLs(parent: Command, context: Context): void {
  addFlags(parent, "List configs").action(async (options: ListOptions) => {
    // What is in them may be more than one answer should hold.
    const query = { filters: filterQuery(options.filter), data: 0 };
    const configs = await context.client().get<WirePayload[]>("/configs", query);
    context.print(formatList({ columns: CONFIG_COLUMNS, rows: rowsOf(configs) }, options));
  });
}

export function addSecretLs(parent: Command, context: Context): void {
  addFlags(parent, "List secrets").action(async (options: ListOptions) => {
    const query = { filters: filterQuery(options.filter) };
    const secrets = await context.client().get<WirePayload[]>("/secrets", query);
    context.print(formatList({ columns: SECRET_COLUMNS, rows: rowsOf(secrets) }, options));
  });
}

function addFlags(parent: Command, description: string): Command {
  return parent
    .command("ls")
    .alias("list")
    .description(description)
    .option("-f, --filter <filter>", "Filter, name=web", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("-q, --quiet", "Only ids");
}

function rowsOf(objects: readonly WirePayload[]): Row[] {
  const sorted = [...objects].sort((a, b) =>
    a.Spec.Name.localeCompare(b.Spec.Name, "en", { numeric: true }),
  );
  const nowMs = Date.now();
  const ago = (time: string) => `${humanDuration(nowMs - Date.parse(time))} ago`;
  return sorted.map(({ ID, Spec, CreatedAt, UpdatedAt }) => ({
    ID,
    Name: Spec.Name,
    Driver: "",
    CreatedAt: ago(CreatedAt),
    UpdatedAt: ago(UpdatedAt),
    Labels: Object.entries(Spec.Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
  }));
}
