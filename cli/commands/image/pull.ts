import type { Command } from "commander";
import { authHeader } from "../../client/registry-auth.ts";
import type { Context } from "../../context.ts";
import { showTransfer } from "../../output/transfer.ts";
import { hasTag, splitTag } from "./ref.ts";

interface PullFlags {
  readonly allTags?: boolean;
  readonly platform?: string;
  readonly quiet?: boolean;
}

export function addPull(parent: Command, context: Context): void {
  parent
    .command("pull")
    .description("Bring an image from a registry to this node")
    .argument("<name[:tag|@digest]>")
    .option("-a, --all-tags", "All tags of the repository")
    .option("--platform <platform>", "Of an image for several: os/architecture[/variant]")
    .option("--disable-content-trust", "Images are not signed: without effect", true)
    .option("-q, --quiet", "Only the image's name at the end")
    .action(async (ref: string, { allTags, platform, quiet }: PullFlags) => {
      const { name, tag } = splitTag(ref);
      const query = { fromImage: name, tag: allTags === true ? undefined : tag, platform };
      if (quiet !== true && allTags !== true && !hasTag(ref))
        context.warn("Using default tag: latest\n");
      const headers = authHeader(ref);
      const stream = await context
        .client()
        .postForStream("/images/create", undefined, { query, headers });
      await showTransfer(quiet === true ? silenced(context) : context, stream);
      context.print(`${allTags === true ? name : whole(name, tag)}\n`);
    });
}

function whole(name: string, tag: string): string {
  return tag.includes(":") ? `${name}@${tag}` : `${name}:${tag}`;
}

/** The same without progress. */
export function silenced(context: Context): Context {
  return { ...context, isTerminal: false, warn: () => {} };
}
