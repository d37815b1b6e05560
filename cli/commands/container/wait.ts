import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";
import { containerPath } from "./each.ts";

export function addContainerWait(parent: Command, context: Context): void {
  parent
    .command("wait")
    .description("Wait until containers do not run, and print their exit codes")
    .argument("<container...>", "Names or ids")
    .action(async (refs: string[]) => {
      await forEachRef(context, refs, async (ref) => {
        const { StatusCode } = await context
          .client()
          .post<{ StatusCode: number }>(containerPath(ref, "wait"), undefined);
        return String(StatusCode);
      });
    });
}
