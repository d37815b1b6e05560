import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { platformJson } from "../../flags/platform.ts";
import { inspectAll } from "../inspect.ts";
import { imagePath } from "./ref.ts";

export function addImageInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show images in detail")
    .argument("<image...>")
    .option("-f, --format <format>", "json or a Go template")
    .option("--platform <platform>", "Of an image for several: os/architecture[/variant]")
    .action(
      async (refs: string[], { format, platform }: { format?: string; platform?: string }) => {
        await inspectAll(context, refs, { format }, (ref) =>
          context.client().get(`${imagePath(ref)}/json`, { platform: platformJson(platform) }),
        );
      },
    );
}
