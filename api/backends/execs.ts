import type { AttachedStreams } from "./streams.ts";

/** Commands in the containers of this machine. Every call that names one throws `NotFound` when there is none. */
export interface ExecBackend {
  /** Its id. @throws `FailedPrecondition` with details `container` when that does not run. */
  createExec(containerId: string, config: ExecSettings): string;
  getExec(id: string): ExecFacts;
  /**
   * @returns its streams, where `attached` asks for them; their output ends when the exit code is known.
   * @throws `FailedPrecondition` with details `exec` when it was started before; with details `exitCode` when the program
   *   could not be started; `InvalidArgument`.
   */
  startExec(
    id: string,
    options: { readonly attached: boolean; readonly size: ConsoleSize | undefined },
  ): Promise<AttachedStreams | undefined>;
  /** @throws `FailedPrecondition` with details `exec` when it has ended, or has no terminal. */
  resizeExec(id: string, size: ConsoleSize): void;
}

export interface ExecSettings {
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workdir: string;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly detachKeys: string;
}

export interface ExecFacts {
  readonly id: string;
  readonly containerId: string;
  readonly config: ExecSettings;
  readonly state: "created" | "running" | "exited";
  readonly pid: number;
  readonly exitCode: number;
}

export interface ConsoleSize {
  readonly rows: number;
  readonly columns: number;
}
