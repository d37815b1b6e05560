import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { inspectAll } from "../inspect.ts";
import { imagePath } from "./ref.ts";

export function addImageInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show images in detail")
    .argument("<image...>")
    .option("-f, --format <format>", "json or a Go template")
    .action(async (refs: string[], { format }: { format?: string }) => {
      await inspectAll(context, refs, { format }, (ref) =>
        context.client().get(`${imagePath(ref)}/json`),
      );
    });
}
