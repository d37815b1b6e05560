import { type Command, Option } from "commander";
import { parseDetachKeys } from "../../../core/detach-keys.ts";
import { ClusterError } from "../../../core/errors.ts";
import { userSettings } from "../../client/user-settings.ts";
import { joinConsole, LEFT } from "../../container/console.ts";
import { readVariable, readVariables } from "../../container/values.ts";
import { followWindow } from "../../container/window.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { containerPath } from "./each.ts";

interface ExecOptions {
  readonly detach?: boolean;
  readonly detachKeys?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly interactive?: boolean;
  readonly privileged?: boolean;
  readonly tty?: boolean;
  readonly user?: string;
  readonly workdir?: string;
}

export function addContainerExec(parent: Command, context: Context): void {
  parent
    .command("exec")
    .description("Run a command in a container that runs")
    .argument("<container>", "Name or id")
    .argument("<command...>", "The command and its arguments")
    .passThroughOptions()
    .option("-d, --detach", "Do not wait for it")
    .option("--detach-keys <keys>", "Keys that leave it (default: ctrl-p,ctrl-q)")
    .addOption(new Option("-e, --env <name[=value]>", "A variable").argParser(collect))
    .addOption(new Option("--env-file <file>", "Variables, one a line").argParser(collect))
    .option("-i, --interactive", "Give it your input")
    .option("--privileged", "All capabilities")
    .option("-t, --tty", "Give it a terminal")
    .option("-u, --user <user>", "User, or user:group")
    .option("-w, --workdir <path>", "Working directory")
    .action(async (ref: string, command: string[], options: ExecOptions, verb: Command) => {
      const variables = readEnvironment(options, verb);
      const code = await exec(context, ref, command, { ...options, variables });
      if (code !== ExitCode.Ok) throw new ExitError(code);
    });
}

/** What cannot be read is said as of any flag: with how to use the command. */
function readEnvironment({ env = [], envFile = [] }: ExecOptions, verb: Command): string[] {
  try {
    return [...envFile.flatMap(readVariables), ...env].flatMap(readVariable);
  } catch (error) {
    if (error instanceof ClusterError) verb.error(error.message);
    throw error;
  }
}

async function exec(
  context: Context,
  ref: string,
  command: readonly string[],
  options: ExecOptions & { readonly variables: readonly string[] },
): Promise<number> {
  const { detach = false, interactive = false, tty = false } = options;
  const detachKeys = options.detachKeys ?? userSettings(context).detachKeys ?? "";
  const keys = parseDetachKeys(detachKeys);
  if (interactive && tty && !detach && !process.stdin.isTTY)
    throw new ClusterError("InvalidArgument", "the input device is not a TTY");
  const client = context.client();
  const { Id } = await client.post<{ Id: string }>(containerPath(ref, "exec"), {
    Cmd: command,
    Env: options.variables,
    User: options.user ?? "",
    WorkingDir: options.workdir ?? "",
    Privileged: options.privileged ?? false,
    Tty: tty,
    AttachStdin: interactive && !detach,
    AttachStdout: !detach,
    AttachStderr: !detach,
    DetachKeys: detachKeys,
  });
  const path = `/exec/${Id}`;
  if (detach) {
    await client.post(`${path}/start`, { Detach: true, Tty: tty });
    return ExitCode.Ok;
  }
  const { rows, columns } = process.stdout;
  const size = tty && process.stdout.isTTY ? { ConsoleSize: [rows, columns] } : {};
  const connection = await client.hijack(`${path}/start`, { Detach: false, Tty: tty, ...size });
  const stop = tty ? followWindow(context, `${path}/resize`) : () => {};
  try {
    if (await joinConsole(connection, { stdin: interactive, tty, detachKeys: keys })) {
      context.warn(LEFT);
      return ExitCode.Error;
    }
  } finally {
    stop();
  }
  const { ExitCode: code } = await client.get<{ ExitCode: number | null }>(`${path}/json`);
  return code ?? ExitCode.Ok;
}
