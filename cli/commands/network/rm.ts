import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";

export function addNetworkRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove networks")
    .argument("<network...>", "Names or ids")
    .action(async (refs: string[]) => {
      await forEachRef(context, refs, async (ref) => {
        await context.client().delete(`/networks/${encodeURIComponent(ref)}`);
        return ref;
      });
    });
}
