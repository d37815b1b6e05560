import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

export function addContainerPause(parent: Command, context: Context): void {
  parent
    .command("pause")
    .description("Freeze the processes of containers")
    .argument("<container...>", "Names or ids")
    .action(async (refs: string[]) => {
      await forEachContainer(context, refs, async (client, ref) => {
        await client.post(containerPath(ref, "pause"), undefined);
      });
    });
}
