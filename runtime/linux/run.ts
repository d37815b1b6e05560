import { closeSync, readSync } from "node:fs";
import { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { makePipe } from "./descriptors.ts";
import { findProcess, type ProcessRef, signalProcess } from "./process.ts";
import { reap, spawnSession } from "./spawn.ts";

/** A program to run to its end. */
export interface RunOptions {
  /** Absolute path of the program. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: readonly string[];
  /** Standard output and error together are cut there. */
  readonly outputBytesMax: number;
  readonly timeoutMs: number;
  /** Called instead of killing the program when time is up; must make it end. */
  readonly onTimeout?: (program: ProcessRef | undefined) => void;
}

export interface RunResult {
  /** 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  readonly output: string;
  readonly timedOut: boolean;
}

const SIGKILL = 9;
const READ_BYTES = 65_536;

/**
 * Runs a program without a shell and waits for its end, not for those its output was handed to.
 *
 * A pipe the program holds as descriptor 3 tells when it ends, since the kernel closes it whatever happens. So the program
 * must not hand that on to processes it leaves behind; OCI runtimes and coreutils do not.
 */
export async function runProgram(options: RunOptions, clock: Clock): Promise<RunResult> {
  const life = makePipe();
  const output = makePipe();
  const pid = spawnAndClose(options, life.writeFd, output.writeFd, [life.readFd, output.readFd]);
  const program = findProcess(pid);
  const ended = new Socket({ fd: life.readFd, readable: true, writable: false });
  const text = collect(output.readFd, options.outputBytesMax);

  let timedOut = false;
  const cancel = clock.after(options.timeoutMs, () => {
    timedOut = true;
    if (options.onTimeout !== undefined) options.onTimeout(program);
    else if (program !== undefined) signalProcess(program, SIGKILL);
  });
  await endOf(ended);
  cancel();
  return { exitCode: await reap(pid), output: text.take(), timedOut };
}

/** Starts the program as child with the two write ends, which are ours no more. */
function spawnAndClose(
  options: RunOptions,
  lifeFd: number,
  outputFd: number,
  readFds: readonly number[],
): number {
  try {
    return spawnSession({
      path: options.path,
      argv: [options.path, ...options.args],
      env: options.env ?? [`PATH=${process.env.PATH ?? ""}`],
      cwd: "/",
      fds: [null, outputFd, outputFd, lifeFd],
    });
  } catch (error) {
    for (const fd of readFds) closeSync(fd);
    throw error;
  } finally {
    closeSync(lifeFd);
    closeSync(outputFd);
  }
}

/** Resolves when the last holder of the other end is gone. */
export function endOf(pipe: Socket): Promise<void> {
  return new Promise((resolve) => {
    pipe.once("close", () => resolve());
    pipe.on("error", () => pipe.destroy());
    pipe.resume();
  });
}

function collect(fd: number, bytesMax: number): { take(): string } {
  const stream = new Socket({ fd, readable: true, writable: false });
  const chunks: Buffer[] = [];
  let room = bytesMax;
  stream.on("error", () => stream.destroy());
  stream.on("data", (chunk: Buffer) => {
    const part = chunk.subarray(0, room);
    room -= part.length;
    if (part.length > 0) chunks.push(part);
  });
  return {
    take() {
      // What the program wrote just before its end may still be in the pipe, unseen by the stream.
      if (!stream.destroyed) chunks.push(...readAvailable(fd, room));
      stream.destroy();
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}

/** What a descriptor that does not block has to give now, at most `bytesMax`. */
function readAvailable(fd: number, bytesMax: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let room = bytesMax; room > 0; ) {
    const chunk = Buffer.alloc(Math.min(room, READ_BYTES));
    let length: number;
    try {
      length = readSync(fd, chunk);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return chunks;
      throw error;
    }
    if (length === 0) return chunks;
    chunks.push(chunk.subarray(0, length));
    room -= length;
  }
  return chunks;
}
