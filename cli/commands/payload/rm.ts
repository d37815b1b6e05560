import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";

export function addConfigRm(parent: Command, context: Context): void {
  addRm(parent, context, "config");
}

export function addSecretRm(parent: Command, context: Context): void {
  addRm(parent, context, "secret");
}

function addRm(parent: Command, context: Context, kind: "config" | "secret"): void {
  parent
    .command("rm")
    .alias("remove")
    .description(`Remove ${kind}s that no service uses`)
    .argument(`<${kind}...>`, "Names or ids")
    .action(async (refs: string[]) => {
      await forEachRef(context, refs, async (ref) => {
        await context.client().delete(`/${kind}s/${encodeURIComponent(ref)}`);
        return ref;
      });
    });
}
