import { getEventListeners } from "node:events";
import { constants } from "node:os";
import { type Command, CommanderError } from "commander";
import { InvariantError } from "../core/assert.ts";
import { ClusterError, errorMessage } from "../core/errors.ts";
import { packageVersion } from "../core/version.ts";
import { type Access, connect } from "./client/access.ts";
import type { Client } from "./client/client.ts";
import { type Context, ExitCode, ExitError } from "./context.ts";
import { newProgram } from "./program.ts";

/** Of a program that a signal ends: 128 and its number, as shells have it. */
const SIGNAL_BASE = 128;

/** Runs `muster` with the process's arguments, streams and signals. @returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let access: Access = {};
  const interrupt = new AbortController();
  process.on("SIGINT", () => onInterrupt(interrupt));
  process.stdout.on("error", endWithReader);
  // Nowhere is left to say so.
  process.stderr.on("error", () => process.exit(ExitCode.Error));
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
  return runWords(argv, context, (given) => {
    access = given;
    if (given.config !== undefined) process.env.DOCKER_CONFIG = given.config;
  });
}

/** The same for any streams. @param setAccess told where the daemon is before a command asks for it. */
export async function runWords(
  argv: readonly string[],
  context: Context,
  setAccess: (access: Access) => void,
): Promise<number> {
  const { warn } = context;
  try {
    const program = await newProgram(context, packageVersion(), setAccess, argv);
    overrideExits(program);
    await program.parseAsync([...argv], { from: "user" });
    return ExitCode.Ok;
  } catch (error) {
    if (error instanceof ExitError) return error.exitCode;
    // Commander has printed its message already; help and version are no errors.
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? ExitCode.Ok : ExitCode.BadUsage;
    if (isBug(error)) throw error;
    warn(`${wordsOf(error)}\n`);
    return ExitCode.Error;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof ClusterError) return errorMessage(error);
  const { code } = error as NodeJS.ErrnoException;
  const isCut = code === "ECONNRESET" || code === "EPIPE";
  return `muster: ${isCut ? "the daemon ended the connection" : errorMessage(error)}`;
}

/** Ours; anything else comes from the outside: a connection that breaks off, an answer that is none. */
function isBug(error: unknown): boolean {
  return (
    error instanceof InvariantError ||
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError
  );
}

/** The first one is the command's to take, or a container's; where nobody takes it, and the second time, it ends us. */
function onInterrupt(interrupt: AbortController): void {
  const isTaken = getEventListeners(interrupt.signal, "abort").length > 0;
  const isPassedOn = process.listenerCount("SIGINT") > 1;
  if (isPassedOn) return;
  if (!isTaken || interrupt.signal.aborted) process.exit(SIGNAL_BASE + constants.signals.SIGINT);
  interrupt.abort();
}

/** Who read our words wants no more of them (`muster … | head`): that is no failure, but there is nothing left to do. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(ExitCode.Ok);
  process.stderr.write(`muster: cannot write to standard output: ${error.message}\n`);
  process.exit(ExitCode.Error);
}

/** Makes every command throw instead of ending the process. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExits(child);
}
