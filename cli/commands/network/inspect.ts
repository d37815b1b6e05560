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
    .option("-v, --verbose", "With what else the swarm knows of it")
    .action(async (refs: string[], options: { format?: string; verbose?: boolean }) => {
      await inspectAll(context, refs, options, async (ref) => {
        const { verbose } = options;
        const path = `/networks/${encodeURIComponent(ref)}`;
        return context.client().get<WireNetwork>(path, { verbose });
      });
    });
}
