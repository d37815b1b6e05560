import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { refuseTerminal, writeWhole } from "../../output/archive-file.ts";

export function addSave(parent: Command, context: Context): void {
  parent
    .command("save")
    .description("Pack images into an archive: that of 'docker save', and OCI's layout")
    .argument("<image...>")
    .option("-o, --output <file>", "There whole or not at all (default: standard output)")
    .action(async (names: string[], { output }: { output?: string }) => {
      if (output === undefined) refuseTerminal();
      const bytes = await context.client().stream("/images/get", { names });
      if (output === undefined) await pipeline(bytes, process.stdout, { end: false });
      else await writeWhole(bytes, output);
    });
}
