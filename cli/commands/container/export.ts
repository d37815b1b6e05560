import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { refuseTerminal, writeWhole } from "../../output/archive-file.ts";
import { containerPath } from "./each.ts";

export function addContainerExport(parent: Command, context: Context): void {
  parent
    .command("export")
    .description("Pack a container's root file system into an archive")
    .argument("<container>", "Name or id")
    .option("-o, --output <file>", "There whole or not at all (default: standard output)")
    .action(async (ref: string, { output }: { output?: string }) => {
      if (output === undefined) refuseTerminal();
      const bytes = await context.client().stream(containerPath(ref, "export"), {});
      if (output === undefined) await pipeline(bytes, process.stdout, { end: false });
      else await writeWhole(bytes, output);
    });
}
