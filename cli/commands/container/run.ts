import type { Command } from "commander";
import { parseDetachKeys } from "../../../core/detach-keys.ts";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import {
  addContainerFlags,
  type ContainerOptions,
  createBody,
} from "../../container/create-body.ts";
import { attachTo } from "../../container/foreground.ts";
import { type MakeOptions, makeContainer } from "../../container/make.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { parseBoolean } from "../../flags/boolean.ts";
import { containerPath } from "./each.ts";

type RunOptions = ContainerOptions &
  MakeOptions & {
    readonly detach?: boolean;
    readonly detachKeys?: string;
    readonly sigProxy?: string | boolean;
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
    .option("--sig-proxy [bool]", "Pass signals on to it (default: true)")
    .action(async (image: string, args: string[], options: RunOptions) => {
      const code = await run(context, image, args, options).catch((error: unknown) => {
        if (!(error instanceof ClusterError)) throw error;
        context.warn(`${errorMessage(error)}\n`);
        return startCode(errorMessage(error));
      });
      if (code !== ExitCode.Ok) throw new ExitError(code);
    });
}

async function run(
  context: Context,
  image: string,
  args: readonly string[],
  options: RunOptions,
): Promise<number> {
  const { interactive = false, tty = false, detach = false, detachKeys = "" } = options;
  parseDetachKeys(detachKeys);
  const sigProxy = parseBoolean("sig-proxy", String(options.sigProxy ?? true));
  if (interactive && tty && !detach && !process.stdin.isTTY)
    throw new ClusterError("InvalidArgument", "the input device is not a TTY");
  const body = createBody(image, args, options);
  const id = await makeContainer(context, body, options);
  const start = async () => context.client().post(containerPath(id, "start"), undefined);
  if (detach) {
    await start();
    context.print(`${id}\n`);
    return ExitCode.Ok;
  }
  const foreground = await attachTo(context, id, {
    ...{ stdin: interactive, tty, detachKeys, sigProxy },
    isRemoved: options.rm === true,
  });
  try {
    await start();
  } catch (error) {
    foreground.close();
    throw error;
  }
  return foreground.stay();
}

/** Source: docker/cli, runStartContainerErr. */
function startCode(reason: string): number {
  if (/executable file not found|no such file or directory/i.test(reason))
    return StartFailure.NotFound;
  if (/permission denied|is a directory|exec format error/i.test(reason))
    return StartFailure.NotExecutable;
  return ExitCode.BadUsage;
}
