import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";

export function addNodeRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove nodes from the swarm")
    .argument("<node...>", "Ids or host names")
    .option("-f, --force", "Even if it is still up")
    .action(async (refs: string[], options: { force?: boolean }) => {
      await forEachRef(context, refs, async (ref) => {
        await context
          .client()
          .delete(`/nodes/${encodeURIComponent(ref)}`, { force: options.force });
        return ref;
      });
    });
}
