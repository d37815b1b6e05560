import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

export function addContainerStop(parent: Command, context: Context): void {
  parent
    .command("stop")
    .description("Stop containers")
    .argument("<container...>", "Names or ids")
    .option("-s, --signal <signal>", "Signal to end it by")
    .option("-t, --timeout <seconds>", "Seconds before it is killed, -1 for never (default: 10)")
    .action(
      async (refs: string[], { signal, timeout: t }: { signal?: string; timeout?: string }) => {
        await forEachContainer(context, refs, async (client, ref) => {
          await client.post(containerPath(ref, "stop"), undefined, { signal, t });
        });
      },
    );
}
