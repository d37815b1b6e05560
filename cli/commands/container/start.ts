import type { Command } from "commander";
import { parseDetachKeys } from "../../../core/detach-keys.ts";
import { ClusterError } from "../../../core/errors.ts";
import { userSettings } from "../../client/user-settings.ts";
import { attachTo } from "../../container/foreground.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { addRefused } from "../../flags/refused.ts";
import { containerPath, forEachContainer } from "./each.ts";

interface StartOptions {
  readonly attach?: boolean;
  readonly interactive?: boolean;
  readonly detachKeys?: string;
}

interface WireContainer {
  readonly Id: string;
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
  readonly HostConfig: { readonly AutoRemove: boolean };
}

export function addContainerStart(parent: Command, context: Context): void {
  const flags = ["--checkpoint <name>", "--checkpoint-dir <path>"];
  addRefused(parent.command("start"), "checkpoints are not made", flags)
    .description("Start containers")
    .argument("<container...>", "Names or ids")
    .option("-a, --attach", "Stay with it to its end")
    .option("-i, --interactive", "Give it your input")
    .option("--detach-keys <keys>", "Keys that leave it (default: ctrl-p,ctrl-q)")
    .action(async (refs: string[], options: StartOptions) => {
      if (options.attach === true || options.interactive === true) {
        const code = await startAndStay(context, refs, options);
        if (code !== ExitCode.Ok) throw new ExitError(code);
        return;
      }
      const failed: string[] = [];
      await forEachContainer(context, refs, async (client, ref) => {
        failed.push(ref);
        await client.post(containerPath(ref, "start"), undefined);
        failed.pop();
      }).catch((error: unknown) => {
        context.warn(`Error: failed to start containers: ${failed.join(", ")}\n`);
        throw error;
      });
    });
}

async function startAndStay(
  context: Context,
  [ref = "", ...others]: readonly string[],
  { interactive = false, ...options }: StartOptions,
): Promise<number> {
  if (others.length > 0)
    throw new ClusterError("InvalidArgument", "cannot stay with more than one container");
  const detachKeys = options.detachKeys ?? userSettings(context).detachKeys ?? "";
  parseDetachKeys(detachKeys);
  const client = context.client();
  const { Id, Config, HostConfig } = await client.get<WireContainer>(containerPath(ref, "json"));
  const foreground = await attachTo(context, Id, {
    stdin: interactive && Config.OpenStdin,
    tty: Config.Tty,
    detachKeys,
    sigProxy: true,
    isRemoved: HostConfig.AutoRemove,
  });
  try {
    await client.post(containerPath(Id, "start"), undefined);
  } catch (error) {
    foreground.close();
    throw error;
  }
  return (await foreground.stay()) ?? ExitCode.Ok;
}
