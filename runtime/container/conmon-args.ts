import { ClusterError } from "../../core/errors.ts";
import { LOG_SLACK_BYTES, type LogLimits } from "./log/log-files.ts";
import type { ContainerPaths } from "./paths.ts";
import { inRuncsWords } from "./runtime-words.ts";
import type { InputMode } from "./stream/run-streams.ts";

/** What conmon is told about a container. Source: conmon(8), 2.1. */
export interface ConmonInput {
  readonly id: string;
  /** What it is called in the journal. */
  readonly name: string;
  readonly logTag: string;
  readonly paths: ContainerPaths;
  readonly runtimePath: string;
  readonly runtimeRoot: string;
  readonly exitDir: string;
  readonly log: LogLimits;
  readonly tty: boolean;
  readonly input: InputMode;
}

/** conmon's arguments without its own name. */
export function planConmonArgs(input: ConmonInput): string[] {
  const { id, paths, log } = input;
  const ceiling = log.sizeBytesMax + LOG_SLACK_BYTES;
  return [
    ...["--api-version", "1", "--cid", id, "--cuuid", id, "--name", input.name],
    ...["--runtime", input.runtimePath, "--runtime-arg", `--root=${input.runtimeRoot}`],
    ...["--bundle", paths.bundle, "--container-pidfile", paths.pidFile],
    ...["--conmon-pidfile", paths.conmonPidFile],
    ...["--exit-dir", input.exitDir, "--full-attach"],
    ...["--log-path", log.kind === "none" ? "none" : `k8s-file:${paths.logFile}`],
    ...(log.journal ? ["--log-path", "journald:", "--log-tag", input.logTag] : []),
    ...(Number.isSafeInteger(ceiling) ? ["--log-size-max", String(ceiling)] : []),
    // A flush of every log at every exit costs more than the exit; the last lines of a power cut are not promised.
    "--no-sync-log",
    ...(input.tty ? ["--terminal"] : []),
    ...(input.input.isOpen ? ["--stdin"] : []),
    ...(input.input.endsWithClient ? [] : ["--leave-stdin-open"]),
  ];
}

/** What conmon is told about a command in a container. */
export interface ConmonExecInput {
  readonly containerId: string;
  readonly execId: string;
  /** Of this command alone; `process.json` is in it. */
  readonly dir: string;
  readonly runtimePath: string;
  readonly runtimeRoot: string;
  readonly tty: boolean;
  /** Somebody wants its streams: it is not started before they are there. */
  readonly attached: boolean;
  readonly input: InputMode;
}

/** conmon's arguments for a command in a container. */
export function planExecConmonArgs(exec: ConmonExecInput): string[] {
  const { containerId, execId, dir, input } = exec;
  return [
    ...["--api-version", "1", "--cid", containerId, "--cuuid", execId],
    ...["--runtime", exec.runtimePath, "--runtime-arg", `--root=${exec.runtimeRoot}`],
    ...["--bundle", dir, "--container-pidfile", `${dir}/pid`, "--full-attach"],
    ...["--exec", "--exec-process-spec", `${dir}/process.json`],
    ...["--log-path", "none", "--no-sync-log"],
    ...(exec.attached ? ["--exec-attach"] : []),
    ...(exec.tty ? ["--terminal"] : []),
    ...(input.isOpen ? ["--stdin"] : []),
    ...(input.endsWithClient ? [] : ["--leave-stdin-open"]),
  ];
}

/**
 * Reads what conmon says through its sync pipe after the runtime's `create`: the container's pid.
 *
 * @param diagnostics what conmon wrote to standard error, used when it said nothing.
 * @param starting what the runtime was told to do, and what names the program that was to be started.
 * @throws {ClusterError} Internal with the runtime's words; `details.exitCode` is what Docker's clients expect of such a
 *   failure: 127 program not found, 126 not executable, 128 anything else.
 */
export function parseCreateReport(
  report: string,
  diagnostics: string,
  starting: { readonly verb: "create" | "exec"; program(): string },
): number {
  const { pid, message } = parseReport(report);
  if (pid !== undefined && pid > 0) return pid;
  const words = plainMessage(message ?? diagnostics) || "conmon ended without a word";
  const reason = inRuncsWords(words, starting.program(), starting.verb);
  throw new ClusterError("Internal", `cannot start container: ${reason}`, {
    details: { exitCode: exitCodeOf(reason) },
  });
}

function parseReport(report: string): {
  readonly pid?: number | undefined;
  readonly message?: string | undefined;
} {
  let value: unknown;
  try {
    value = JSON.parse(report);
  } catch {
    return { message: report === "" ? undefined : report };
  }
  if (typeof value !== "object" || value === null) return { message: report };
  // conmon 2.0 says `data`, later ones `pid`.
  const pid = "pid" in value ? value.pid : "data" in value ? value.data : undefined;
  const message = "message" in value ? value.message : undefined;
  return {
    pid: typeof pid === "number" ? pid : undefined,
    message: typeof message === "string" && message !== "" ? message : undefined,
  };
}

/** runc logs `time="…" level=error msg="…"`: the message of the last line alone is for people. */
function plainMessage(text: string): string {
  const quoted = [...text.matchAll(/ msg=("(?:[^"\\]|\\.)*")/g)].at(-1)?.[1];
  return (quoted === undefined ? text : String(JSON.parse(quoted))).trim();
}

/** Source: moby, daemon/start_unix.go, translateContainerdStartErr. */
function exitCodeOf(reason: string): number {
  if (/executable file not found|no such file or directory|not a directory/i.test(reason))
    return 127;
  if (/permission denied|exec format error/i.test(reason)) return 126;
  return 128;
}
