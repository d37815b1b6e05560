import { type Command, Option } from "commander";
import type { WireServiceSpec } from "../../client/wire.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { LIST_FLAGS, SET_FLAGS } from "../../service/flags.ts";
import { authHeaders, pinImage } from "../../service/image.ts";
import { type Options, updateSpec } from "../../service/spec.ts";
import { addAttachFlags, followService } from "./attach.ts";
import { getService } from "./create.ts";

/** How it ends well: to be rolled back is a failure only for who asked for something new. */
const UPDATED: ReadonlySet<ExitCode> = new Set([ExitCode.Ok]);
const ROLLED_BACK: ReadonlySet<ExitCode> = new Set([ExitCode.Ok, ExitCode.RolledBack]);

export function addServiceUpdate(parent: Command, context: Context): void {
  const command = parent
    .command("update")
    .description("Change a service")
    .argument("<service>", "Name or id")
    .option("--image <image>", "Image of its containers")
    .option("--args <command>", "Arguments of the command")
    .option("--replicas <n>", "Number of tasks")
    .option("--force", "Make new tasks even if nothing changed")
    .option("--rollback", "Go back to the previous spec")
    .option("--with-registry-auth", "Send the registry's credentials to the nodes")
    .option("--no-resolve-image", "Do not ask the registry for the image's digest");
  for (const { flag, help } of SET_FLAGS) command.option(flag, help);
  for (const { name, value, help } of LIST_FLAGS) {
    command.addOption(new Option(`--${name}-add <${value}>`, `Add: ${help}`).argParser(collect));
    command.addOption(new Option(`--${name}-rm <${value}>`, `Remove: ${help}`).argParser(collect));
  }
  addAttachFlags(command).action(async (ref: string, options: Options) => {
    const service = await getService(context, ref);
    const spec = updateSpec(service.Spec, options);
    if (options.image !== undefined) await pinImage(context, spec, options);
    await sendUpdate(context, {
      id: service.ID,
      version: service.Version.Index,
      spec,
      rollback: options.rollback === true,
      headers: authHeaders(spec.TaskTemplate.ContainerSpec.Image, options),
    });
    context.print(`${ref}\n`);
    const code = await followService(context, service.ID, options);
    const done = options.rollback === true ? ROLLED_BACK : UPDATED;
    if (!done.has(code)) throw new ExitError(code);
  });
}

export function addServiceRollback(parent: Command, context: Context): void {
  const command = parent
    .command("rollback")
    .description("Go back to a service's previous spec")
    .argument("<service>", "Name or id");
  addAttachFlags(command).action(async (ref: string, options: Options) => {
    const { ID, Version, Spec } = await getService(context, ref);
    await sendUpdate(context, { id: ID, version: Version.Index, spec: Spec, rollback: true });
    context.print(`${ref}\n`);
    const code = await followService(context, ID, options);
    if (!ROLLED_BACK.has(code)) throw new ExitError(code);
  });
}

/** Sends a changed spec; `version` makes the daemon refuse it if somebody else was faster. */
export async function sendUpdate(
  context: Context,
  change: {
    readonly id: string;
    readonly version: number;
    readonly spec: WireServiceSpec;
    readonly rollback?: boolean;
    readonly headers?: Record<string, string>;
  },
): Promise<void> {
  const { id, version, spec, rollback, headers } = change;
  const query = { version, rollback: rollback === true ? "previous" : undefined };
  const answer = await context
    .client()
    .post<{ Warnings?: string[] | null }>(`/services/${id}/update`, spec, query, headers);
  for (const warning of answer?.Warnings ?? []) context.warn(`WARNING: ${warning}\n`);
}
