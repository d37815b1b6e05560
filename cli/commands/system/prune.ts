import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { confirm } from "../../flags/confirm.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { reclaimedText, removedText } from "../../output/pruned.ts";
import type { PrunedContainers } from "../container/prune.ts";
import { type PrunedImages, removedImages } from "../image/prune.ts";
import type { PrunedNetworks } from "../network/prune.ts";
import { type PrunedVolumes, prunesNamedVolumes } from "../volume/prune.ts";

interface PruneOptions {
  readonly all?: boolean;
  readonly filter?: string[];
  readonly force?: boolean;
  readonly volumes?: boolean;
}

export function addSystemPrune(parent: Command, context: Context): void {
  parent
    .command("prune")
    .description("Remove all that nobody uses: containers, networks, images")
    .option("-a, --all", "All images that no container uses, not just those without a tag")
    .option("--filter <key=value>", "until, label; may be repeated", collect)
    .option("-f, --force", "Do not ask")
    .option("--volumes", "Anonymous volumes too")
    .action(async (options: PruneOptions, verb: Command) => {
      const { volumes = false, filter = [] } = options;
      if (volumes && filter.some((text) => text.startsWith("until=")))
        verb.error('the "until" filter is not supported with "--volumes"');
      // Before the question: a filter that cannot be read is not confirmed.
      filterQuery(filter);
      const named = volumes && (await prunesNamedVolumes(context));
      await confirm(context, warningOf(options, named ? "all" : "all anonymous"), options.force);
      await prune(context, options);
    });
}

function warningOf(
  { all = false, volumes = false, filter = [] }: PruneOptions,
  which: string,
): string {
  const images = all
    ? "all images without at least one container associated to them"
    : "all dangling images";
  const lines = [
    ...["all stopped containers", "all networks not used by at least one container"],
    ...(volumes ? [`${which} volumes not used by at least one container`] : []),
    ...[images, all ? "all build cache" : "unused build cache"],
  ].map((line) => `  - ${line}\n`);
  const filtered = filter.length === 0 ? "" : "\n  Items to be pruned will be filtered with:\n";
  const filters = filter.map((text) => `  - ${text}\n`).join("");
  return `This will remove:\n${lines.join("")}${filtered}${filters}`;
}

/** In the order in which one holds the other. */
async function prune(context: Context, { all, volumes, filter }: PruneOptions): Promise<void> {
  const client = context.client();
  const query = (fixed = {}) => ({ filters: filterQuery(filter, fixed) });
  let bytes = 0;
  const containers = await client.post<PrunedContainers>("/containers/prune", undefined, query());
  context.print(removedText("Containers", containers.ContainersDeleted));
  bytes += containers.SpaceReclaimed;
  const networks = await client.post<PrunedNetworks>("/networks/prune", undefined, query());
  context.print(removedText("Networks", networks.NetworksDeleted));
  if (volumes === true) {
    const gone = await client.post<PrunedVolumes>("/volumes/prune", undefined, query());
    context.print(removedText("Volumes", gone.VolumesDeleted));
    bytes += gone.SpaceReclaimed;
  }
  const dangling = all === true ? { dangling: ["false"] } : {};
  const images = await client.post<PrunedImages>("/images/prune", undefined, query(dangling));
  context.print(removedImages(images));
  context.print(reclaimedText(bytes + images.SpaceReclaimed));
}
