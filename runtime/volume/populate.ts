import { closeSync, fstatSync, readdirSync } from "node:fs";
import { chmod, chown } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { findInRoot, PATH_ONLY } from "../linux/open-in-root.ts";
import { runProgram } from "../linux/run.ts";

const CP = "/bin/cp";
const COPY_TIMEOUT_MS = 600_000;
const MESSAGE_BYTES_MAX = 4096;
const MODE_BITS = 0o7777;

/**
 * Fills an empty directory with what an image has at `target`, owner and mode included. Nothing to do when there is something
 * in it, or no directory in the image.
 *
 * @param rootfs where the image's root file system is mounted; nothing in it can lead outside.
 * @throws {ClusterError} Internal when the copy fails.
 */
export async function maybePopulate(
  directory: string,
  target: string,
  rootfs: string,
  clock: Clock,
): Promise<void> {
  if (readdirSync(directory).length > 0) return;
  const source = findInRoot(rootfs, target, PATH_ONLY);
  if (source === undefined) return;
  try {
    const { uid, gid, mode } = fstatSync(source);
    await chown(directory, uid, gid);
    await chmod(directory, mode & MODE_BITS);
    if (readdirSync(`/proc/self/fd/${source}`).length === 0) return;
    // By the open handle: its path could be a link again by the time cp follows it.
    const from = `/proc/${process.pid}/fd/${source}/.`;
    const args = ["-a", "--", from, directory];
    const limits = { outputBytesMax: MESSAGE_BYTES_MAX, timeoutMs: COPY_TIMEOUT_MS };
    const { exitCode, output } = await runProgram({ path: CP, args, ...limits }, clock);
    if (exitCode === 0) return;
    throw new ClusterError(
      "Internal",
      `cannot fill the volume at ${target} from the image: ${output.trim()}`,
    );
  } finally {
    closeSync(source);
  }
}
