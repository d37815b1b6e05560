import { spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { DetachScanner } from "../../core/detach-keys.ts";
import type { HijackedConnection } from "../client/hijack.ts";
import { FrameReader } from "../output/frame-reader.ts";

/** What is said to who left by keys, for whom it is no success. */
export const LEFT = "read escape sequence\n";

/** How this process's streams are joined with those of a process in a container. */
export interface ConsoleOptions {
  readonly stdin: boolean;
  /** Both sides are terminals: keys go as they are typed. */
  readonly tty: boolean;
  readonly detachKeys: Uint8Array;
}

/**
 * Carries bytes both ways until the output ends or somebody leaves by keys. The terminal is as it was afterwards.
 *
 * @returns whether the keys to detach were typed.
 */
export async function joinConsole(
  connection: HijackedConnection,
  { stdin: hasInput, tty, detachKeys }: ConsoleOptions,
): Promise<boolean> {
  const { socket } = connection;
  const { stdin } = process;
  const isRaw = takesKeys({ stdin: hasInput, tty });
  if (isRaw) makeRaw(stdin);
  let detached = false;
  const scanner = isRaw ? new DetachScanner(detachKeys) : undefined;
  const onInput = (bytes: Buffer) => {
    const scanned = scanner?.scan(bytes) ?? { data: bytes, detached: false };
    if (scanned.data.length > 0 && !socket.write(scanned.data)) {
      stdin.pause();
      socket.once("drain", () => stdin.resume());
    }
    if (!scanned.detached) return;
    detached = true;
    socket.destroy();
  };
  const onInputEnd = () => void socket.end();
  if (hasInput) {
    stdin.on("data", onInput);
    stdin.once("end", onInputEnd);
  } else socket.end();
  try {
    await writeOutput(connection);
  } catch (error) {
    if (!detached) throw error;
  } finally {
    stdin.off("data", onInput);
    stdin.off("end", onInputEnd);
    if (isRaw) stdin.setRawMode(false);
    stdin.pause();
    stdin.unref?.();
    socket.destroy();
  }
  return detached;
}

/** Whether keys go to the container as they are typed. */
export function takesKeys({ stdin, tty }: Pick<ConsoleOptions, "stdin" | "tty">): boolean {
  return tty && stdin && process.stdin.isTTY;
}

/**
 * Node leaves the terminal one thing to do, a return before each new line; the one in the container has done that already.
 * `setRawMode(false)` undoes all of it. Once is enough.
 */
export function makeRaw(stdin: NodeJS.ReadStream): void {
  if (stdin.isRaw) return;
  stdin.setRawMode(true);
  spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
}

/** A reader of ours that is slow holds the daemon back. */
async function writeOutput({ socket, isFramed }: HijackedConnection): Promise<void> {
  const frames = new FrameReader();
  for await (const bytes of socket) {
    if (!isFramed) {
      await write(process.stdout, bytes as Buffer);
      continue;
    }
    for (const { stderr, data } of frames.read(bytes as Buffer))
      await write(stderr ? process.stderr : process.stdout, data);
  }
}

async function write(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, "drain");
}
