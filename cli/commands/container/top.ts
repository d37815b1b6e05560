import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { formatTable } from "../../output/table.ts";
import { containerPath } from "./each.ts";

/** Docker's, for a table that is read as it comes. */
const WIDTH_MIN = 20;

export function addContainerTop(parent: Command, context: Context): void {
  parent
    .command("top")
    .description("Show the processes of a container")
    .argument("<container>", "Name or id")
    .argument("[options...]", "For ps (default: -ef)")
    .passThroughOptions()
    .action(async (ref: string, words: string[]) => {
      const ps_args = words.length === 0 ? undefined : words.join(" ");
      const { Titles, Processes } = await context
        .client()
        .get<{ Titles: string[]; Processes: string[][] }>(containerPath(ref, "top"), { ps_args });
      context.print(formatTable([Titles, ...Processes], WIDTH_MIN));
    });
}
