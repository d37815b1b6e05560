import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { showTransfer } from "../../output/transfer.ts";
import { openArchive } from "./load.ts";
import { silenced } from "./pull.ts";
import { splitTag } from "./ref.ts";

interface ImportFlags {
  readonly change?: string[];
  readonly message?: string;
  readonly platform?: string;
}

export function addImport(parent: Command, context: Context): void {
  parent
    .command("import")
    .description("Make an image of a root file system in a tar archive")
    .argument("<file>", "The archive; - for standard input")
    .argument("[name[:tag]]")
    .option(
      "-c, --change <line>",
      "A line as of a Dockerfile, CMD or ENV; may be repeated",
      collect,
    )
    .option("-m, --message <text>", "Shown in its history")
    .option("--platform <platform>", "What it is for: os/architecture[/variant]")
    .action(async (file: string, ref: string | undefined, { change, ...flags }: ImportFlags) => {
      const archive = file === "-" ? process.stdin : await openArchive(file);
      const named = ref === undefined ? undefined : splitTag(ref);
      const query = { fromSrc: "-", repo: named?.name, tag: named?.tag, changes: change, ...flags };
      const stream = await context.client().uploadForStream("/images/create", archive, query);
      await showTransfer(silenced(context), stream, ({ status = "" }) =>
        context.print(`${status}\n`),
      );
    });
}
