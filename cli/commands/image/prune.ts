import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { confirm } from "../../flags/confirm.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { reclaimedText, removedText } from "../../output/pruned.ts";

interface PruneOptions {
  readonly all?: boolean;
  readonly filter?: string[];
  readonly force?: boolean;
}

export interface PrunedImages {
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
    .option("-f, --force", "Do not ask")
    .action(async ({ all = false, filter, force }: PruneOptions) => {
      const filters = filterQuery(filter, all ? { dangling: ["false"] } : {});
      const warning = all
        ? "This will remove all images without at least one container associated to them."
        : "This will remove all dangling images.";
      await confirm(context, warning, force);
      const pruned = await context
        .client()
        .post<PrunedImages>("/images/prune", undefined, { filters });
      context.print(removedImages(pruned) + reclaimedText(pruned.SpaceReclaimed));
    });
}

export function removedImages({ ImagesDeleted }: PrunedImages): string {
  const lines = (ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
    Untagged === undefined ? `deleted: ${Deleted}` : `untagged: ${Untagged}`,
  );
  return removedText("Images", lines);
}
