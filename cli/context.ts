import type { Client } from "./client/client.ts";

/** What every command works with: the daemon, and where its words go. */
export interface Context {
  /** Made at first use, so that help works without a daemon's address being right. */
  readonly client: () => Client;
  /** Data: standard output. */
  readonly print: (text: string) => void;
  /** Progress, warnings and errors: standard error. */
  readonly warn: (text: string) => void;
  readonly isTerminal: boolean;
  /** Aborted by Ctrl-C. */
  readonly interrupt: AbortSignal;
}

/** How a command ends; 0 and 1 as everywhere, the others so that scripts can tell why. */
export const ExitCode = {
  Ok: 0,
  Error: 1,
  Unplaceable: 2,
  Paused: 3,
  RolledBack: 4,
  Timeout: 124,
  BadUsage: 125,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Ends the command with a code other than 1; the message, if any, has been printed. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  /** One of `ExitCode`, or that of a program that was run. */
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}
