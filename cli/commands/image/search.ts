import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { formatList, type Row } from "../../output/list.ts";

const COLUMNS = [
  { header: "NAME", field: "Name" },
  { header: "DESCRIPTION", field: "Description" },
  { header: "STARS", field: "StarCount" },
  { header: "OFFICIAL", field: "IsOfficial" },
];
const DESCRIPTION_LENGTH = 45;

interface WireResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

interface SearchFlags {
  readonly filter?: string[];
  readonly format?: string;
  readonly limit?: string;
  readonly trunc: boolean;
}

export function addSearch(parent: Command, context: Context): void {
  parent
    .command("search")
    .description("Look for images on Docker Hub")
    .argument("<term>")
    .option("-f, --filter <key=value>", "is-official, stars; may be repeated", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("--limit <n>", "The most to show")
    .option("--no-trunc", "Whole descriptions")
    .action(async (term: string, flags: SearchFlags) => {
      const filters = filterQuery(flags.filter);
      const results = await context
        .client()
        .get<WireResult[]>("/images/search", { term, limit: flags.limit, filters });
      const rows = results.map((result) => resultRow(result, flags.trunc));
      context.print(formatList({ columns: COLUMNS, rows }, flags));
    });
}

function resultRow(result: WireResult, truncates: boolean): Row {
  const text = result.description.replaceAll(/[\r\n]+/g, " ");
  const isLong = truncates && text.length > DESCRIPTION_LENGTH;
  return {
    Name: result.name,
    Description: isLong ? `${text.slice(0, DESCRIPTION_LENGTH - 1)}…` : text,
    StarCount: String(result.star_count),
    IsOfficial: result.is_official ? "[OK]" : "",
  };
}
