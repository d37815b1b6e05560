import type { Command } from "commander";
import { requiredAuthHeader } from "../../client/registry-auth.ts";
import type { Context } from "../../context.ts";
import { platformJson } from "../../flags/platform.ts";
import { showTransfer, type TransferLine } from "../../output/transfer.ts";
import { silenced } from "./pull.ts";
import { hasTag, imagePath, splitTag } from "./ref.ts";

interface Pushed extends TransferLine {
  readonly aux?: { readonly Tag: string; readonly Digest: string };
}

interface PushFlags {
  readonly allTags?: boolean;
  readonly platform?: string;
  readonly quiet?: boolean;
}

export function addPush(parent: Command, context: Context): void {
  parent
    .command("push")
    .description("Send an image to its registry; prints its digest")
    .argument("<name[:tag]>")
    .option("-a, --all-tags", "All tags of the repository that are here")
    .option("--disable-content-trust", "Images are not signed: without effect", true)
    .option("--platform <platform>", "Of an image for several: os/architecture[/variant]")
    .option("-q, --quiet", "Only the digest at the end")
    .action(async (ref: string, flags: PushFlags) => {
      const { name, tag } = splitTag(ref);
      const platform = platformJson(flags.platform);
      const query = { tag: flags.allTags === true ? undefined : tag, platform };
      const more = { query, headers: requiredAuthHeader(ref) };
      const stream = await context
        .client()
        .postForStream(`${imagePath(name)}/push`, undefined, more);
      if (flags.quiet !== true && flags.allTags !== true && !hasTag(ref))
        context.warn("Using default tag: latest\n");
      const view = flags.quiet === true ? silenced(context) : context;
      await showTransfer(view, stream, ({ aux }: Pushed) => {
        if (aux !== undefined) context.print(`${name}:${aux.Tag}@${aux.Digest}\n`);
      });
    });
}
