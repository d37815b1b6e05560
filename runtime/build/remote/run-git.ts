import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { DOWNLOAD_BYTES_MAX } from "./download.ts";
import { gitEnvironment } from "./git-plan.ts";

/** How a command of git's ended. */
export interface GitResult {
  readonly exitCode: number;
  /** What it said, of both outputs, cut. */
  readonly output: string;
}

/** Runs git with these words. @throws {ClusterError} FailedPrecondition when there is none; Cancelled; DeadlineExceeded. */
export type RunGit = (words: readonly string[], signal: AbortSignal) => Promise<GitResult>;

const PLACES = ["/usr/bin/git", "/bin/git", "/usr/local/bin/git"];
/** Sets the size of the largest file that git may write: its packs. Of util-linux, which every machine has. */
const LIMITER = "/usr/bin/prlimit";
const COMMAND_MS_MAX = 600_000;
const OUTPUT_BYTES_MAX = 8192;

/** The machine's git, without a shell, in a group of processes of its own that ends with it. */
export const runGit: RunGit = async (words, signal) => {
  const git = PLACES.find((path) => existsSync(path));
  if (git === undefined || !existsSync(LIMITER))
    throw new ClusterError(
      "FailedPrecondition",
      "cannot build from a git repository: no git found on the daemon's machine: apt-get install git",
    );
  const limited = AbortSignal.any([signal, AbortSignal.timeout(COMMAND_MS_MAX)]);
  const child = spawn(LIMITER, [`--fsize=${DOWNLOAD_BYTES_MAX}`, git, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: gitEnvironment(process.env),
    cwd: "/",
    detached: true,
  });
  const end = () => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  limited.addEventListener("abort", end, { once: true });
  const said = [take(child.stdout), take(child.stderr)];
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
    if (signal.aborted) throw new ClusterError("Cancelled", "Build cancelled");
    if (limited.aborted)
      throw new ClusterError(
        "DeadlineExceeded",
        `git was not done after ${COMMAND_MS_MAX / 1000} s`,
      );
    return { exitCode, output: said.map((text) => text()).join("") };
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw new ClusterError("Internal", `cannot run git: ${errorMessage(error)}`, { cause: error });
  } finally {
    limited.removeEventListener("abort", end);
  }
};

/** Its helpers too: those that fetch are processes of their own. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // All of them have ended by themselves.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function take(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let room = OUTPUT_BYTES_MAX;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, room));
    room = Math.max(0, room - chunk.length);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
