import type { Command } from "commander";
import type { Context } from "../../context.ts";

export function addNetworkDisconnect(parent: Command, context: Context): void {
  parent
    .command("disconnect")
    .description("Take a container out of a network of this machine, also while it runs")
    .argument("<network>", "Name or id")
    .argument("<container>", "Name or id")
    .option("-f, --force", "Whatever the container says")
    .action(async (network: string, container: string, { force }: { force?: boolean }) => {
      await context.client().post(`/networks/${encodeURIComponent(network)}/disconnect`, {
        Container: container,
        Force: force ?? false,
      });
    });
}
