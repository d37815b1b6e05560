import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { splitTag } from "../image/ref.ts";

interface CommitFlags {
  readonly author?: string;
  readonly change?: string[];
  readonly message?: string;
  readonly pause: boolean;
}

export function addContainerCommit(parent: Command, context: Context): void {
  parent
    .command("commit")
    .description("Make an image of a container and what it has changed")
    .argument("<container>")
    .argument("[name[:tag]]")
    .option("-a, --author <text>", "Who made it")
    .option(
      "-c, --change <line>",
      "A line as of a Dockerfile, CMD or ENV; may be repeated",
      collect,
    )
    .option("-m, --message <text>", "Shown in its history")
    .option("-p, --pause", "Hold the container meanwhile", true)
    .action(async (container: string, ref: string | undefined, flags: CommitFlags) => {
      const named = ref === undefined ? undefined : splitTag(ref);
      const { author, change: changes, message: comment } = flags;
      const query = { container, repo: named?.name, tag: named?.tag, author, changes, comment };
      const pause = flags.pause ? "1" : "0";
      const { Id } = await context
        .client()
        .post<{ Id: string }>("/commit", undefined, { ...query, pause });
      context.print(`${Id}\n`);
    });
}
