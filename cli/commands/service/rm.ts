import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";

export function addServiceRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove services and stop their tasks")
    .argument("<service...>", "Names or ids")
    .action(async (refs: string[]) => {
      await forEachRef(context, refs, async (ref) => {
        await context.client().delete(`/services/${encodeURIComponent(ref)}`);
        return ref;
      });
    });
}
