import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";

interface Pruned {
  readonly NetworksDeleted: readonly string[] | null;
}

export function addNetworkPrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove networks that nobody is in")
    .option("--filter <filter>", "until=24h, label=keep, label!=keep; may be repeated", collect)
    .requiredOption("-f, --force", "Yes, remove them")
    .action(async ({ filter }: { filter?: string[] }) => {
      const filters = filterQuery(filter);
      const pruned = await context.client().post<Pruned>("/networks/prune", undefined, { filters });
      for (const name of pruned.NetworksDeleted ?? []) context.print(`${name}\n`);
    });
}
