import type { Command } from "commander";
import { userSettings } from "../../client/user-settings.ts";
import type { WireNetwork } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { goTime } from "../../output/human.ts";
import { formatList, labelText, type Row, withLabels } from "../../output/list.ts";

const COLUMNS = [
  { header: "NETWORK ID", field: "ID" },
  { header: "NAME", field: "Name" },
  { header: "DRIVER", field: "Driver" },
  { header: "SCOPE", field: "Scope" },
];

const ID_LENGTH = 12;

interface ListOptions {
  readonly filter?: string[];
  readonly format?: string;
  readonly quiet?: boolean;
  readonly trunc: boolean;
}

export function addNetworkLs(parent: Command, context: Context): void {
  parent
    .command("ls")
    .alias("list")
    .description("List networks")
    .option("-f, --filter <filter>", "Filter, name=ingress", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("--no-trunc", "Whole ids")
    .option("-q, --quiet", "Only ids")
    .action(async (options: ListOptions) => {
      const networks = await context
        .client()
        .get<WireNetwork[]>("/networks", { filters: filterQuery(options.filter) });
      const sorted = networks.toSorted((a, b) =>
        a.Name.localeCompare(b.Name, "en", { numeric: true }),
      );
      const rows = sorted.map((network) => networkRow(network, options.trunc));
      context.print(
        formatList(
          { columns: COLUMNS, rows },
          { format: userSettings(context).networksFormat, ...options },
        ),
      );
    });
}

function networkRow(network: WireNetwork, truncates: boolean): Row {
  const { Id, Name, Driver, Scope, Labels } = network;
  const row = {
    ID: truncates ? Id.slice(0, ID_LENGTH) : Id,
    ...{ Name, Driver, Scope },
    CreatedAt: goTime(Date.parse(network.Created)),
    IPv4: String(network.EnableIPv4 ?? true),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Labels: labelText(Labels),
  };
  return withLabels(row, Labels);
}
