import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

export function addContainerKill(parent: Command, context: Context): void {
  parent
    .command("kill")
    .description("Send a signal to containers")
    .argument("<container...>", "Names or ids")
    .option("-s, --signal <signal>", "Signal to send", "KILL")
    .action(async (refs: string[], { signal }: { signal: string }) => {
      await forEachContainer(context, refs, async (client, ref) => {
        await client.post(containerPath(ref, "kill"), undefined, { signal });
      });
    });
}
