import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

export function addContainerStart(parent: Command, context: Context): void {
  parent
    .command("start")
    .description("Start containers")
    .argument("<container...>", "Names or ids")
    .action(async (refs: string[]) => {
      await forEachContainer(context, refs, async (client, ref) => {
        await client.post(containerPath(ref, "start"), undefined);
      });
    });
}
