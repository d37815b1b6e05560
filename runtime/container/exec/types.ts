import type { ContainerAttachment, ContainerId } from "../types.ts";

/** A command that somebody wants run in a container. */
export interface ExecConfig {
  readonly command: readonly string[];
  /** More than the container has; a name without `=` takes one away. */
  readonly env: readonly string[];
  /** Empty: the container's. */
  readonly user: string;
  /** Empty: the container's. */
  readonly workdir: string;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  /** As the client wrote them. */
  readonly detachKeys: string;
}

export interface Exec {
  /** 64 hexadecimal characters. */
  readonly id: string;
  readonly containerId: ContainerId;
  readonly config: ExecConfig;
  readonly state: "created" | "running" | "exited";
  /** On the host; 0 before it runs. */
  readonly pid: number;
  /** Of one that has ended, or could not be started. */
  readonly exitCode: number;
}

/** A window of characters. */
export interface ConsoleSize {
  readonly rows: number;
  readonly columns: number;
}

/** Commands in the containers of this machine. Known until the daemon ends; those that ended, EXITED_KEPT_MS longer. */
export interface Execs {
  /** @throws `NotFound` (container), `FailedPrecondition` when it does not run, `ResourceExhausted`. */
  createExec(containerId: ContainerId, config: ExecConfig): Exec;
  /** @throws `NotFound`. */
  getExec(id: string): Exec;
  /** Of those of a container that have not ended. */
  execIdsOf(containerId: ContainerId): readonly string[];
  /**
   * Starts it, with its streams for whoever wants them: the output ends when the exit code is known.
   *
   * @param options `size`: of its terminal, if it has one.
   * @throws `NotFound`; `FailedPrecondition` with details `exec`: it was started before; `InvalidArgument` (user); with
   *   details `exitCode` when the program could not be started.
   */
  startExec(
    id: string,
    options: { readonly attached: boolean; readonly size?: ConsoleSize | undefined },
  ): Promise<ContainerAttachment | undefined>;
  /** Before it runs: from its start on. @throws `NotFound`; `FailedPrecondition` when it has ended or has no terminal. */
  resizeExec(id: string, size: ConsoleSize): void;
}
