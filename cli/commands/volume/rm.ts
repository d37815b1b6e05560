import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";
import { volumePath } from "./wire.ts";

export function addVolumeRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove volumes that no container has, with all that is in them")
    .argument("<volume...>", "Names")
    .option("-f, --force", "No error for one that is not there")
    .action(async (names: string[], { force }: { force?: boolean }) => {
      await forEachRef(context, names, async (name) => {
        await context.client().delete(volumePath(name), { force });
        return name;
      });
    });
}
