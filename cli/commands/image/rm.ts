import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";
import { imagePath } from "./ref.ts";

interface Removed {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** `image rm`, or `rmi` at the top. */
export function addImageRm(parent: Command, context: Context, name = "rm"): void {
  parent
    .command(name)
    .description("Remove names, and with an image's last name the image")
    .argument("<image...>")
    .option(
      "-f, --force",
      "Also when a stopped container uses it, or it has names in several repositories",
    )
    .action(async (refs: string[], { force }: { force?: boolean }) => {
      await forEachRef(context, refs, async (ref) => {
        const removed = await context.client().delete<Removed[]>(imagePath(ref), { force });
        return removed.map(writeRemoved).join("\n");
      });
    });
}

export function writeRemoved({ Untagged, Deleted }: Removed): string {
  return Untagged === undefined ? `Deleted: ${Deleted}` : `Untagged: ${Untagged}`;
}
