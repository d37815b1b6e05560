import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { ClusterError, errorMessage } from "../../core/errors.ts";

/** @throws {ClusterError} `InvalidArgument` when standard output is a terminal. */
export function refuseTerminal(): void {
  if (!process.stdout.isTTY) return;
  const message = "cannot write an archive to a terminal: use -o or redirect it";
  throw new ClusterError("InvalidArgument", message);
}

/** Writes an archive to a file that is there whole or not at all. @throws {ClusterError} `Unavailable`. */
export async function writeWhole(bytes: NodeJS.ReadableStream, path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await pipeline(bytes, createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    const message = `cannot write the archive to ${path}: ${errorMessage(cause)}`;
    throw new ClusterError("Unavailable", message, { cause });
  }
}
