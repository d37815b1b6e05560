import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { humanBytes } from "../../output/human.ts";

export function addContainerPrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove all containers that do not run")
    .option("--filter <filter>", "Filter, until=24h", collect)
    .requiredOption("-f, --force", "Yes, remove them")
    .action(async ({ filter }: { filter?: string[] }) => {
      const { ContainersDeleted, SpaceReclaimed } = await context
        .client()
        .post<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>(
          "/containers/prune",
          undefined,
          { filters: filterQuery(filter) },
        );
      for (const id of ContainersDeleted ?? []) context.print(`${id}\n`);
      context.print(`Total reclaimed space: ${humanBytes(SpaceReclaimed)}\n`);
    });
}
