import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";
import { getNode } from "./inspect.ts";

export function addNodeApprove(parent: Command, context: Context): void {
  parent
    .command("approve")
    .description("Let nodes back in whose certificates expired while they were off (holds for 1 h)")
    .argument("<node...>", "Ids or host names")
    .action(async (refs: string[]) => {
      await forEachRef(context, refs, async (ref) => {
        const { ID } = await getNode(context, ref);
        await context.client().post(`/nodes/${ID}/approve`, undefined);
        return `Node ${ref} may renew its certificate within the next hour.`;
      });
    });
}
