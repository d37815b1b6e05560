import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { inspectAll } from "../inspect.ts";
import { volumePath } from "./wire.ts";

export function addVolumeInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show all that is known of volumes")
    .argument("<volume...>", "Names")
    .option("-f, --format <format>", "json or a Go template")
    .action(async (names: string[], options: { format?: string }) => {
      await inspectAll(context, names, options, (name) => context.client().get(volumePath(name)));
    });
}
