import { type Command, Option } from "commander";
import type { ContainerBody } from "../../container/body.ts";
import { UPDATE_FLAGS } from "../../container/limit-flags.ts";
import type { Context } from "../../context.ts";
import { containerPath, forEachContainer } from "./each.ts";

export function addContainerUpdate(parent: Command, context: Context): void {
  const command = parent
    .command("update")
    .description("Change what containers may use, also while they run")
    .argument("<container...>", "Names or ids");
  for (const { flag, help } of UPDATE_FLAGS) command.addOption(new Option(flag, help));
  command.action(async (refs: string[], options: Record<string, unknown>, verb: Command) => {
    const body: ContainerBody & { HostConfig?: object } = { Image: "" };
    for (const { flag, apply } of UPDATE_FLAGS) {
      const value = options[new Option(flag).attributeName()];
      if (typeof value === "string") apply(body, value);
    }
    if (body.HostConfig === undefined)
      verb.error("you must provide one or more flags when using this command");
    const warnings: string[] = [];
    await forEachContainer(context, refs, async (client, ref) => {
      const { Warnings } = await client.post<{ Warnings: string[] | null }>(
        containerPath(ref, "update"),
        body.HostConfig,
      );
      warnings.push(...(Warnings ?? []));
    });
    for (const warning of warnings) context.warn(`${warning}\n`);
  });
}
