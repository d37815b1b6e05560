import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { platformJson } from "../../flags/platform.ts";
import { refuseTerminal, writeWhole } from "../../output/archive-file.ts";

export function addSave(parent: Command, context: Context): void {
  parent
    .command("save")
    .description("Pack images into an archive: that of 'docker save', and OCI's layout")
    .argument("<image...>")
    .option("-o, --output <file>", "There whole or not at all (default: standard output)")
    .option("--platform <platform>", "Of an image for several: os/architecture[/variant]")
    .action(async (names: string[], flags: { output?: string; platform?: string }) => {
      const { output } = flags;
      const platform = platformJson(flags.platform);
      if (output === undefined) refuseTerminal();
      const bytes = await context.client().stream("/images/get", { names, platform });
      if (output === undefined) await pipeline(bytes, process.stdout, { end: false });
      else await writeWhole(bytes, output);
    });
}
