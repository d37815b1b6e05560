import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";

export function addNetworkRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove networks")
    .argument("<network...>", "Names or ids")
    .option("-f, --force", "No error for one that is not there")
    .action(async (refs: string[], { force }: { force?: boolean }) => {
      await forEachRef(context, refs, async (ref) => {
        try {
          await context.client().delete(`/networks/${encodeURIComponent(ref)}`);
        } catch (error) {
          const isGone = error instanceof ClusterError && error.code === "NotFound";
          if (force !== true || !isGone) throw error;
        }
        return ref;
      });
    });
}
