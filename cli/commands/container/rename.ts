import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath } from "./each.ts";

export function addContainerRename(parent: Command, context: Context): void {
  parent
    .command("rename")
    .description("Give a container another name")
    .argument("<container>", "Name or id")
    .argument("<name>", "The new name")
    .action(async (ref: string, name: string) => {
      await context.client().post(containerPath(ref, "rename"), undefined, { name });
    });
}
