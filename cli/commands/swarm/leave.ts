import type { Command } from "commander";
import type { Context } from "../../context.ts";

export function addSwarmLeave(parent: Command, context: Context): void {
  parent
    .command("leave")
    .description("Leave the swarm: this node's tasks are stopped")
    .option("-f, --force", "Even if the swarm loses a manager by it")
    .action(async (options: { force?: boolean }) => {
      await context.client().post("/swarm/leave", undefined, { force: options.force });
      context.print("Node left the swarm.\n");
    });
}
