import { type Command, Option } from "commander";
import type { WireService } from "../../client/wire.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { LIST_FLAGS, SET_FLAGS } from "../../service/flags.ts";
import { authHeaders, pinImage } from "../../service/image.ts";
import { createSpec, type Options } from "../../service/spec.ts";
import { addAttachFlags, followService } from "./attach.ts";

export function addServiceCreate(parent: Command, context: Context): void {
  const command = parent
    .command("create")
    .description("Create a new service")
    .argument("<image>", "Image of its containers")
    .argument("[command...]", "Command and its arguments, instead of the image's")
    .passThroughOptions()
    .option("--name <name>", "Name of the service")
    .option("--replicas <n>", "Number of tasks")
    .option("--mode <mode>", "replicated or global", "replicated")
    .option("--with-registry-auth", "Send the registry's credentials to the nodes")
    .option("--no-resolve-image", "Do not ask the registry for the image's digest");
  for (const { flag, help } of SET_FLAGS) command.option(flag, help);
  for (const { name, short, value, help } of LIST_FLAGS) {
    const flags = `${short === undefined ? "" : `${short}, `}--${name} <${value}>`;
    command.addOption(new Option(flags, help).argParser(collect));
  }
  addAttachFlags(command).action(async (image: string, args: string[], options: Options) => {
    const spec = createSpec(image, args, options);
    await pinImage(context, spec, options);
    const headers = authHeaders(image, options);
    const { ID, Warnings } = await context
      .client()
      .post<{ ID: string; Warnings?: string[] }>("/services/create", spec, {}, headers);
    for (const warning of Warnings ?? []) context.warn(`WARNING: ${warning}\n`);
    context.print(`${ID}\n`);
    const code = await followService(context, ID, options);
    if (code !== ExitCode.Ok) throw new ExitError(code);
  });
}

/** The service a ref names: its full object. */
export async function getService({ client }: Context, ref: string): Promise<WireService> {
  return client().get<WireService>(`/services/${encodeURIComponent(ref)}`);
}
