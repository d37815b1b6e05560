import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { imagePath, splitTag } from "./ref.ts";

export function addTag(parent: Command, context: Context): void {
  parent
    .command("tag")
    .description("Give an image one more name")
    .argument("<image>")
    .argument("<name[:tag]>")
    .action(async (image: string, target: string) => {
      const { name: repo, tag } = splitTag(target);
      await context.client().post(`${imagePath(image)}/tag`, undefined, { repo, tag });
    });
}
