import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { addTaskFlags, printTasks, type TaskOptions } from "../service/ps.ts";
import { getNode } from "./inspect.ts";

export function addNodePs(parent: Command, context: Context): void {
  const command = parent
    .command("ps")
    .description("List the tasks on nodes, by default on this one")
    .argument("[node...]", "Ids or host names, or self");
  addTaskFlags(command).action(async (refs: string[], options: TaskOptions) => {
    const nodes = await Promise.all(
      (refs.length > 0 ? refs : ["self"]).map((ref) => getNode(context, ref)),
    );
    await printTasks(context, { node: nodes.map((node) => node.ID) }, options);
  });
}
