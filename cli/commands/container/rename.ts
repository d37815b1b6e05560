import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { containerPath } from "./each.ts";

export function addContainerRename(parent: Command, context: Context): void {
  parent
    .command("rename")
    .description("Give a container another name")
    .argument("<container>", "Name or id")
    .argument("<name>", "The new name")
    .action(async (ref: string, name: string) => {
      try {
        await context.client().post(containerPath(ref, "rename"), undefined, { name });
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        const message = `${error.message}\nError: failed to rename container named ${ref}`;
        throw new ClusterError(error.code, message, { cause: error });
      }
    });
}
