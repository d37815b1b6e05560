import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { confirm } from "../../flags/confirm.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { removedText } from "../../output/pruned.ts";

export interface PrunedNetworks {
  readonly NetworksDeleted: readonly string[] | null;
}

export function addNetworkPrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove networks that nobody is in")
    .option("--filter <filter>", "until=24h, label=keep, label!=keep; may be repeated", collect)
    .option("-f, --force", "Do not ask")
    .action(async ({ filter, force }: { filter?: string[]; force?: boolean }) => {
      const filters = filterQuery(filter);
      const warning = "This will remove all custom networks not used by at least one container.";
      await confirm(context, warning, force);
      const pruned = await context
        .client()
        .post<PrunedNetworks>("/networks/prune", undefined, { filters });
      context.print(removedText("Networks", pruned.NetworksDeleted));
    });
}
