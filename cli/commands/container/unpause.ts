import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

export function addContainerUnpause(parent: Command, context: Context): void {
  parent
    .command("unpause")
    .description("Let the processes of frozen containers go on")
    .argument("<container...>", "Names or ids")
    .action(async (refs: string[]) => {
      await forEachContainer(context, refs, async (client, ref) => {
        await client.post(containerPath(ref, "unpause"), undefined);
      });
    });
}
