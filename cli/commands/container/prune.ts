import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { confirm } from "../../flags/confirm.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { reclaimedText, removedText } from "../../output/pruned.ts";

interface PruneOptions {
  readonly filter?: string[];
  readonly force?: boolean;
}

/** What of containers goes, and what that gives back. */
export interface PrunedContainers {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export function addContainerPrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove all containers that do not run")
    .option("--filter <filter>", "Filter, until=24h", collect)
    .option("-f, --force", "Do not ask")
    .action(async ({ filter, force }: PruneOptions) => {
      const filters = filterQuery(filter);
      const warning = "This will remove all stopped containers.";
      await confirm(context, warning, force);
      const { ContainersDeleted, SpaceReclaimed } = await context
        .client()
        .post<PrunedContainers>("/containers/prune", undefined, { filters });
      context.print(removedText("Containers", ContainersDeleted) + reclaimedText(SpaceReclaimed));
    });
}
