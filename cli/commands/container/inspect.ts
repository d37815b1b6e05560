import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { inspectAll } from "../inspect.ts";
import { containerPath } from "./each.ts";

export function addContainerInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show all that is known of containers")
    .argument("<container...>", "Names or ids")
    .option("-f, --format <format>", "json or a Go template")
    .option("-s, --size", "With sizes")
    .action(async (refs: string[], { format, size }: { format?: string; size?: boolean }) => {
      await inspectAll(context, refs, { format }, (ref) =>
        context.client().get(containerPath(ref, "json"), { size }),
      );
    });
}
