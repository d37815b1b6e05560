import { constants } from "node:fs";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { IGNORE_BYTES_MAX, parseIgnoreFile } from "../../core/ignore-file.ts";
import { TarReader } from "../../core/tar/tar-reader.ts";
import { TreeUnpacker } from "../archive/tree-unpacker.ts";
import { decompressed } from "../image/layer/decompress.ts";
import { OpenDirectory } from "../linux/open-directory.ts";
import { openInRoot, readInRoot } from "../linux/open-in-root.ts";
import { findForbidden, readSource } from "./copy-target.ts";
import { DOCKERFILE_BYTES_MAX } from "./dockerfile/lines.ts";

/** Of a build's context, unpacked: what a bomb is stopped at. */
export const CONTEXT_BYTES_MAX = 64 * 1024 ** 3;
const DEFAULT_DOCKERFILE = "Dockerfile";
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
const IGNORE_FILE = ".dockerignore";

/**
 * Unpacks a context, packed in any way, into an empty folder.
 *
 * @throws {ClusterError} InvalidArgument (malformed, would reach out, cut off), ResourceExhausted (a limit, disk), Cancelled.
 */
export async function receiveContext(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const unpacker = new TreeUnpacker(folder, "/", { owner: undefined, keepsKinds: false });
  const reader = new TarReader(unpacker);
  let bytes = 0;
  try {
    for await (const chunk of decompressed(archive[Symbol.asyncIterator]())) {
      if (signal.aborted) throw new ClusterError("Cancelled", "Build cancelled");
      bytes += chunk.length;
      if (bytes > CONTEXT_BYTES_MAX)
        throw new ClusterError(
          "ResourceExhausted",
          `build context is larger than ${CONTEXT_BYTES_MAX} bytes`,
        );
      reader.push(chunk);
      await eventLoopTurn();
    }
    reader.finish();
    unpacker.finish();
  } catch (error) {
    // Who sent it has gone in the middle: nobody is there to be told.
    if (signal.aborted || isReset(error)) throw new ClusterError("Cancelled", "Build cancelled");
    const isDamaged = error instanceof ClusterError && error.code === "DataLoss";
    throw isDamaged
      ? new ClusterError("InvalidArgument", `cannot read the build context: ${errorMessage(error)}`)
      : error;
  } finally {
    unpacker.close();
  }
}

/**
 * The Dockerfile of a context, as a text; what `.dockerignore` leaves out of it and only the build needs goes from there.
 *
 * @param path in the context; empty: `Dockerfile`, or `dockerfile`.
 * @throws {ClusterError} NotFound, ResourceExhausted. Docker's words.
 */
export function takeDockerfile(
  folder: string,
  path: string,
): { readonly text: string; readonly name: string } {
  const name = path === "" ? DEFAULT_DOCKERFILE : path;
  const forbidden = findForbidden(name);
  if (forbidden !== undefined)
    throw new ClusterError(
      "InvalidArgument",
      `forbidden path outside the build context: ${forbidden.slice(0, 1000)} ()`,
    );
  const names = name === DEFAULT_DOCKERFILE ? [name, name.toLowerCase()] : [name];
  for (const found of names) {
    const bytes = readInRoot(folder, `/${readSource(found)}`, DOCKERFILE_BYTES_MAX);
    if (bytes === undefined) continue;
    leaveOut(folder, found);
    return { text: bytes.toString("utf8"), name };
  }
  throw new ClusterError("NotFound", `Cannot locate specified Dockerfile: ${name.slice(0, 1000)}`);
}

/** Clients send both whatever is said: without them there is no build. */
function leaveOut(folder: string, dockerfile: string): void {
  const bytes = readInRoot(folder, `/${IGNORE_FILE}`, IGNORE_BYTES_MAX);
  if (bytes === undefined) return;
  const { ignores } = parseIgnoreFile(bytes.toString("utf8"));
  // Only what is really there, not behind a link: nobody else has a hand in this folder, but its content is a stranger's.
  for (const path of [IGNORE_FILE, readSource(dockerfile)]) {
    if (!ignores(path)) continue;
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const directory = new OpenDirectory(openInRoot(folder, `/${parent}`, DIRECTORY));
    try {
      directory.remove(path.slice(path.lastIndexOf("/") + 1));
    } finally {
      directory.close();
    }
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}
