import type { Command } from "commander";
import { userSettings } from "../../client/user-settings.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { addRefused } from "../../flags/refused.ts";
import { formatList, labelText, type Row, withLabels } from "../../output/list.ts";
import type { WireVolume } from "./wire.ts";

const COLUMNS = [
  { header: "DRIVER", field: "Driver" },
  { header: "VOLUME NAME", field: "Name" },
];

export function addVolumeLs(parent: Command, context: Context): void {
  addRefused(parent.command("ls"), "cluster volumes are not served", ["--cluster"])
    .alias("list")
    .description("List the volumes of this node")
    .option("-f, --filter <filter>", "Filter, dangling=true", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("-q, --quiet", "Only names")
    .action(async (options: { filter?: string[]; format?: string; quiet?: boolean }) => {
      const { Volumes } = await context
        .client()
        .get<{ Volumes: readonly WireVolume[] | null }>("/volumes", {
          filters: filterQuery(options.filter),
        });
      const rows = (Volumes ?? []).map(volumeRow);
      context.print(
        formatList(
          { columns: COLUMNS, rows },
          { format: userSettings(context).volumesFormat, ...options },
          "Name",
        ),
      );
    });
}

function volumeRow({ Name, Driver, Mountpoint, Scope, Labels }: WireVolume): Row {
  const unknown = { Availability: "N/A", Group: "N/A", Links: "N/A", Size: "N/A", Status: "N/A" };
  const row = { Name, Driver, Mountpoint, Scope, Labels: labelText(Labels), ...unknown };
  return withLabels(row, Labels);
}
