import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

interface RmOptions {
  readonly force?: boolean;
  readonly volumes?: boolean;
  readonly link?: boolean;
}

export function addContainerRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove containers")
    .argument("<container...>", "Names or ids")
    .option("-f, --force", "Even if it runs")
    .option("-v, --volumes", "With the volumes that were made for it alone")
    .option("-l, --link", "The link of that name, not the container")
    .action(async (refs: string[], options: RmOptions) => {
      const { force, volumes: v, link } = options;
      await forEachContainer(context, refs, async (client, ref) => {
        await client.delete(containerPath(ref), { force, v, link });
      });
    });
}
