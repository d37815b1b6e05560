import type { Command } from "commander";
import { type Context, ExitCode } from "../../context.ts";
import { parseDuration } from "../../flags/units.ts";
import type { Options } from "../../service/spec.ts";
import { watchService } from "../../service/watch.ts";

const NS_PER_MS = 1e6;

/** The flags of every command that waits for a service to converge. */
export function addAttachFlags(command: Command): Command {
  return command
    .option("-d, --detach", "Do not wait for the service to converge")
    .option("-q, --quiet", "Do not show progress")
    .option(
      "--timeout <duration>",
      "Give up waiting after this long; the service goes on (exit code 124)",
    );
}

/** Waits for the service as the flags say. @returns the exit code. */
export async function followService(
  context: Context,
  id: string,
  options: Options,
): Promise<ExitCode> {
  if (options.detach === true) return ExitCode.Ok;
  const timeoutMs =
    typeof options.timeout === "string" ? parseDuration(options.timeout) / NS_PER_MS : 0;
  const quiet: Context = { ...context, warn: () => {}, isTerminal: false };
  return watchService(options.quiet === true ? quiet : context, id, timeoutMs);
}
