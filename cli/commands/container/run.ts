import type { Command } from "commander";
import { parseDetachKeys } from "../../../core/detach-keys.ts";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { userSettings } from "../../client/user-settings.ts";
import { type ContainerBody, child } from "../../container/body.ts";
import {
  addContainerFlags,
  attachedStreams,
  type ContainerOptions,
  readBody,
} from "../../container/create-body.ts";
import { attachTo } from "../../container/foreground.ts";
import { type MakeOptions, makeContainer } from "../../container/make.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { containerPath } from "./each.ts";

type RunOptions = ContainerOptions &
  MakeOptions & {
    readonly detachKeys?: string;
    readonly sigProxy: boolean;
    readonly rm?: boolean;
  };

/** Docker's codes for a program that could not be started. */
const StartFailure = { NotExecutable: 126, NotFound: 127 } as const;

export function addContainerRun(parent: Command, context: Context): void {
  addContainerFlags(
    parent.command("run").description("Make a container, start it and stay with it"),
  )
    .option("-d, --detach", "Leave it at once, and print its id")
    .option("--detach-keys <keys>", "Keys that leave it (default: ctrl-p,ctrl-q)")
    .option("--sig-proxy", "Pass signals on to it", true)
    .action(async (image: string, args: string[], options: RunOptions, verb: Command) => {
      const body = readBody(verb, image, args, options);
      if (body.AttachStdin === true && options.tty === true && !process.stdin.isTTY)
        throw new ClusterError("InvalidArgument", "the input device is not a TTY");
      const code = await run(context, body, options).catch((error: unknown) => {
        if (!(error instanceof ClusterError)) throw error;
        context.warn(
          `muster: ${errorMessage(error)}\n\nRun 'muster run --help' for more information\n`,
        );
        return startCode(errorMessage(error));
      });
      if (code !== ExitCode.Ok) throw new ExitError(code);
    });
}

async function run(context: Context, body: ContainerBody, options: RunOptions): Promise<number> {
  const { tty = false, detach = false, sigProxy } = options;
  const detachKeys = options.detachKeys ?? userSettings(context).detachKeys ?? "";
  parseDetachKeys(detachKeys);
  const { stdin, stdout, stderr } = attachedStreams(options);
  // The terminal is right from the first byte on.
  const { rows, columns, isTTY } = process.stdout;
  if (tty && isTTY && rows > 0)
    Object.assign(child(body, "HostConfig"), { ConsoleSize: [rows, columns] });
  const id = await makeContainer(context, body, options);
  const start = async () => context.client().post(containerPath(id, "start"), undefined);
  if (detach) {
    await start();
    context.print(`${id}\n`);
    return ExitCode.Ok;
  }
  // Who sees nothing of it sees its id.
  if (!stdout && !stderr) context.print(`${id}\n`);
  const foreground = await attachTo(context, id, {
    ...{ stdin, stdout, stderr, tty, detachKeys, sigProxy },
    isRemoved: options.rm === true,
  });
  try {
    await start();
  } catch (error) {
    foreground.close();
    throw error;
  }
  return (await foreground.stay()) ?? ExitCode.Ok;
}

/** Source: docker/cli, runStartContainerErr. */
function startCode(reason: string): number {
  if (/executable file not found|no such file or directory/i.test(reason))
    return StartFailure.NotFound;
  if (/permission denied|is a directory|exec format error/i.test(reason))
    return StartFailure.NotExecutable;
  return ExitCode.BadUsage;
}
