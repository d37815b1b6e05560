import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { containerPath } from "./each.ts";

/** Docker's numbers: changed, added, deleted. */
const LETTERS = ["C", "A", "D"];

export function addContainerDiff(parent: Command, context: Context): void {
  parent
    .command("diff")
    .description("Show what a container has changed of its image's files")
    .argument("<container>", "Name or id")
    .action(async (ref: string) => {
      const path = containerPath(ref, "changes");
      const changes = await context.client().get<{ Path: string; Kind: number }[]>(path);
      context.print(changes.map(({ Path, Kind }) => `${LETTERS[Kind] ?? "?"} ${Path}\n`).join(""));
    });
}
