import type { Command } from "commander";
import { isOlder } from "../../client/api-version.ts";
import type { Context } from "../../context.ts";
import { confirm } from "../../flags/confirm.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { reclaimedText, removedText } from "../../output/pruned.ts";

interface PruneOptions {
  readonly all?: boolean;
  readonly filter?: string[];
  readonly force?: boolean;
}

export interface PrunedVolumes {
  readonly VolumesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

/** Daemons before 1.42 make no difference between volumes with names and those without. */
export async function prunesNamedVolumes({ client }: Context): Promise<boolean> {
  return isOlder(await client().agreeOnVersion(), "1.42");
}

export function addVolumePrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove anonymous volumes that no container has")
    .option("-a, --all", "Those with names too")
    .option("--filter <filter>", "label=keep, label!=keep; may be repeated", collect)
    .option("-f, --force", "Do not ask")
    .action(async ({ all = false, filter, force }: PruneOptions) => {
      const filters = filterQuery(filter, all ? { all: ["true"] } : {});
      const which = all || (await prunesNamedVolumes(context)) ? "local" : "anonymous local";
      const warning = `This will remove ${which} volumes not used by at least one container.`;
      await confirm(context, warning, force);
      const pruned = await context
        .client()
        .post<PrunedVolumes>("/volumes/prune", undefined, { filters });
      const { VolumesDeleted, SpaceReclaimed } = pruned;
      context.print(removedText("Volumes", VolumesDeleted) + reclaimedText(SpaceReclaimed));
    });
}
