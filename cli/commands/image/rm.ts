import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { platformJson } from "../../flags/platform.ts";
import { forEachRef } from "../inspect.ts";
import { imagePath } from "./ref.ts";

interface RmFlags {
  readonly force?: boolean;
  readonly prune: boolean;
  readonly platform?: string[];
}

interface Removed {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** `image rm`, or `rmi` at the top. */
export function addImageRm(parent: Command, context: Context, name = "rm"): void {
  const command = parent.command(name);
  if (name === "rm") command.alias("remove");
  command
    .description("Remove names, and with an image's last name the image")
    .argument("<image...>")
    .option(
      "-f, --force",
      "Also when a stopped container uses it, or it has names in several repositories",
    )
    .option("--no-prune", "Keep the images it is made of")
    .option("--platform <platform>", "Only that of an image for several", collect)
    .action(async (refs: string[], { force, prune, platform }: RmFlags) => {
      await forEachRef(
        context,
        refs,
        async (ref) => {
          const removed = await context.client().delete<Removed[]>(imagePath(ref), {
            force,
            noprune: !prune,
            platforms: platform?.map((text) => platformJson(text) ?? ""),
          });
          return removed.map(writeRemoved).join("\n");
        },
        force === true,
      );
    });
}

export function writeRemoved({ Untagged, Deleted }: Removed): string {
  return Untagged === undefined ? `Deleted: ${Deleted}` : `Untagged: ${Untagged}`;
}
