import { type Command, CommanderError } from "commander";
import { ClusterError, errorMessage } from "../core/errors.ts";
import { packageVersion } from "../core/version.ts";
import { type Access, connect } from "./client/access.ts";
import type { Client } from "./client/client.ts";
import { type Context, ExitCode, ExitError } from "./context.ts";
import { newProgram } from "./program.ts";

/** Runs `muster` with the process's arguments, streams and signals. @returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let access: Access = {};
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  for (const stream of [process.stdout, process.stderr]) stream.on("error", endWithReader);
  let client: Client | undefined;
  const context: Context = {
    client: () => {
      client ??= connect(access);
      return client;
    },
    print: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    interrupt: interrupt.signal,
  };
  const program = newProgram(context, packageVersion(), (given) => {
    access = given;
    if (given.config !== undefined) process.env.DOCKER_CONFIG = given.config;
  });
  overrideExits(program);
  return run(program, argv, context);
}

async function run(program: Command, argv: readonly string[], { warn }: Context): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: "user" });
    return ExitCode.Ok;
  } catch (error) {
    if (error instanceof ExitError) return error.exitCode;
    // Commander has printed its message already; help and version are no errors.
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? ExitCode.Ok : ExitCode.BadUsage;
    if (!(error instanceof ClusterError)) throw error;
    warn(`${errorMessage(error)}\n`);
    return ExitCode.Error;
  }
}

/** Who read our words wants no more of them (`muster … | head`): that is no failure, but there is nothing left to do. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(ExitCode.Ok);
}

/** Makes every command throw instead of ending the process. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExits(child);
}
