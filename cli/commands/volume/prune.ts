import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { humanDiskSize } from "../../output/human.ts";

interface PruneOptions {
  readonly all?: boolean;
  readonly filter?: string[];
}

interface Pruned {
  readonly VolumesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export function addVolumePrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove anonymous volumes that no container has")
    .option("-a, --all", "Those with names too")
    .option("--filter <filter>", "label=keep, label!=keep; may be repeated", collect)
    .requiredOption("-f, --force", "Yes, remove them")
    .action(async ({ all, filter }: PruneOptions) => {
      const filters = filterQuery(filter, all === true ? { all: ["true"] } : {});
      const pruned = await context.client().post<Pruned>("/volumes/prune", undefined, { filters });
      for (const name of pruned.VolumesDeleted ?? []) context.print(`${name}\n`);
      context.print(`Total reclaimed space: ${humanDiskSize(pruned.SpaceReclaimed)}\n`);
    });
}
