import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import { userSettings } from "../../client/user-settings.ts";
import { LEFT } from "../../container/console.ts";
import { attachTo } from "../../container/foreground.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { containerPath } from "./each.ts";

interface AttachOptions {
  readonly stdin: boolean;
  readonly detachKeys?: string;
  readonly sigProxy: boolean;
}

interface WireContainer {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly Paused: boolean };
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
}

export function addContainerAttach(parent: Command, context: Context): void {
  parent
    .command("attach")
    .description("Take the input and output of a container that runs")
    .argument("<container>", "Name or id")
    .option("--detach-keys <keys>", "Keys that leave it (default: ctrl-p,ctrl-q)")
    .option("--no-stdin", "Only the output")
    .option("--sig-proxy", "Pass signals on to it", true)
    .action(async (ref: string, options: AttachOptions) => {
      const { Id, State, Config } = await context
        .client()
        .get<WireContainer>(containerPath(ref, "json"));
      if (!State.Running)
        throw new ClusterError(
          "InvalidArgument",
          "You cannot attach to a stopped container, start it first",
        );
      if (State.Paused)
        throw new ClusterError(
          "InvalidArgument",
          "You cannot attach to a paused container, unpause it first",
        );
      const foreground = await attachTo(context, Id, {
        stdin: options.stdin && Config.OpenStdin,
        tty: Config.Tty,
        detachKeys: options.detachKeys ?? userSettings(context).detachKeys ?? "",
        sigProxy: options.sigProxy,
        isRemoved: false,
      });
      const code = await foreground.stay();
      if (code === undefined) context.warn(LEFT);
      if (code !== ExitCode.Ok) throw new ExitError(code ?? ExitCode.Error);
    });
}
