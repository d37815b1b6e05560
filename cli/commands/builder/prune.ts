import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { confirm } from "../../flags/confirm.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { parseBytes } from "../../flags/units.ts";
import { reclaimedText, removedText } from "../../output/pruned.ts";

interface PruneOptions {
  readonly all?: boolean;
  readonly filter?: string[];
  readonly force?: boolean;
  readonly keepStorage?: string;
}

interface PrunedCache {
  readonly CachesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export function addBuilderPrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove build cache that is no image: the classic builder has none")
    .option("-a, --all", "All of it, not just what nobody uses")
    .option("--filter <key=value>", "until=24h and others; may be repeated", collect)
    .option("-f, --force", "Do not ask")
    .option("--keep-storage <bytes>", "What may stay")
    .action(async ({ all = false, filter, force, keepStorage }: PruneOptions) => {
      const filters = filterQuery(filter);
      const kept = keepStorage === undefined ? undefined : String(parseBytes(keepStorage));
      const warning = `This will remove all ${all ? "" : "dangling "}build cache.`;
      await confirm(context, warning, force);
      const query = { all: all ? "1" : undefined, filters };
      const pruned = await context
        .client()
        .post<PrunedCache>("/build/prune", undefined, { ...query, "keep-storage": kept });
      const removed = removedText("build cache objects", pruned.CachesDeleted);
      context.print(removed + reclaimedText(pruned.SpaceReclaimed));
    });
}
