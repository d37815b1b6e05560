import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { humanDiskSize } from "../../output/human.ts";
import { writeRemoved } from "./rm.ts";

interface Pruned {
  readonly ImagesDeleted:
    | readonly { readonly Untagged?: string; readonly Deleted?: string }[]
    | null;
  readonly SpaceReclaimed: number;
}

export function addImagePrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove images without a tag that no container uses")
    .option("-a, --all", "All images that no container uses")
    .option("--filter <key=value>", "until, label, label!; may be repeated", collect)
    .action(async ({ all, filter }: { all?: boolean; filter?: string[] }) => {
      const filters = filterQuery(filter, all === true ? { dangling: ["false"] } : {});
      const pruned = await context.client().post<Pruned>("/images/prune", undefined, { filters });
      for (const item of pruned.ImagesDeleted ?? []) context.print(`${writeRemoved(item)}\n`);
      context.warn(`Total reclaimed space: ${humanDiskSize(pruned.SpaceReclaimed)}\n`);
    });
}
