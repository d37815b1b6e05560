import type { Command } from "commander";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { parseScale } from "../../flags/parse.ts";
import { type Options, setReplicas } from "../../service/spec.ts";
import { addAttachFlags, followService } from "./attach.ts";
import { getService } from "./create.ts";
import { sendUpdate } from "./update.ts";

export function addServiceScale(parent: Command, context: Context): void {
  const command = parent
    .command("scale")
    .description("Change the number of tasks of services")
    .argument("<service=replicas...>", "Services with their new number of tasks");
  addAttachFlags(command).action(async (pairs: string[], options: Options) => {
    const scales = pairs.map(parseScale);
    // All are checked before any is changed: a mistake in the last changes nothing.
    const changes = await Promise.all(
      scales.map(async ({ ref, replicas }) => {
        const { ID, Version, Spec } = await getService(context, ref);
        setReplicas(Spec, replicas);
        return { ref, replicas, id: ID, version: Version.Index, spec: Spec };
      }),
    );
    for (const change of changes) {
      await sendUpdate(context, change);
      context.print(`${change.ref} scaled to ${change.replicas}\n`);
    }
    for (const { id } of changes) {
      const code = await followService(context, id, options);
      if (code !== ExitCode.Ok) throw new ExitError(code);
    }
  });
}
