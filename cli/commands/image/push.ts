import type { Command } from "commander";
import { authHeader } from "../../client/registry-auth.ts";
import type { Context } from "../../context.ts";
import { showTransfer, type TransferLine } from "../../output/transfer.ts";
import { silenced } from "./pull.ts";
import { imagePath, splitTag } from "./ref.ts";

interface Pushed extends TransferLine {
  readonly aux?: { readonly Tag: string; readonly Digest: string };
}

export function addPush(parent: Command, context: Context): void {
  parent
    .command("push")
    .description("Send an image to its registry; prints its digest")
    .argument("<name[:tag]>")
    .option("-a, --all-tags", "All tags of the repository that are here")
    .option("-q, --quiet", "Only the digest at the end")
    .action(async (ref: string, flags: { allTags?: boolean; quiet?: boolean }) => {
      const { name, tag } = splitTag(ref);
      const query = { tag: flags.allTags === true ? undefined : tag };
      const more = { query, headers: authHeader(ref) };
      const stream = await context
        .client()
        .postForStream(`${imagePath(name)}/push`, undefined, more);
      const view = flags.quiet === true ? silenced(context) : context;
      await showTransfer(view, stream, ({ aux }: Pushed) => {
        if (aux !== undefined) context.print(`${name}:${aux.Tag}@${aux.Digest}\n`);
      });
    });
}
