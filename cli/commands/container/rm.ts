import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

export function addContainerRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove containers")
    .argument("<container...>", "Names or ids")
    .option("-f, --force", "Even if it runs")
    .option("-v, --volumes", "With the volumes that were made for it alone")
    .action(async (refs: string[], options: { force?: boolean; volumes?: boolean }) => {
      const { force, volumes: v } = options;
      await forEachContainer(context, refs, async (client, ref) => {
        await client.delete(containerPath(ref), { force, v });
      });
    });
}
