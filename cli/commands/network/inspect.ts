import type { Command } from "commander";
import type { WireNetwork } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { inspectAll } from "../inspect.ts";

export function addNetworkInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show networks in detail")
    .argument("<network...>", "Names or ids")
    .option("-f, --format <template>", "Go template")
    .action(async (refs: string[], options: { format?: string }) => {
      await inspectAll(context, refs, options, async (ref) => {
        return context.client().get<WireNetwork>(`/networks/${encodeURIComponent(ref)}`);
      });
    });
}
