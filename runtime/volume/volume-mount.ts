import { lookup } from "node:dns/promises";
import type { Clock } from "../../core/clock.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { unmountAside } from "../linux/mount.ts";
import { isMountedAt } from "../linux/mount-table.ts";
import { runProgram } from "../linux/run.ts";
import {
  kernelWords,
  type VolumeMountPlan,
  withAddress,
  withoutPassword,
} from "./volume-options.ts";

const MOUNT = "/bin/mount";
/** A server that does not answer holds up the one volume that is on it, so long. */
const MOUNT_TIMEOUT_MS = 120_000;
const MESSAGE_BYTES_MAX = 4096;
/** Mounts on top of each other, as nobody makes them, that are taken off. */
const LAYERS_MAX = 16;

/**
 * Mounts what a volume's options say at its directory; nothing to do when something is mounted there.
 *
 * By mount(8), a process of its own: a server that does not answer would otherwise hold a thread of ours. Its helpers are not
 * run, as in Docker: the options are the kernel's.
 *
 * @throws {ClusterError} Internal with mount's words; DeadlineExceeded.
 */
export async function mountVolume(
  plan: VolumeMountPlan,
  path: string,
  clock: Clock,
): Promise<void> {
  if (isMountedAt(path)) return;
  const options = await resolveHost(plan, path);
  const flags = options === "" ? [] : ["-o", options];
  const args = ["-n", "-i", "-t", plan.type, ...flags, "--", plan.device, path];
  const limits = { outputBytesMax: MESSAGE_BYTES_MAX, timeoutMs: MOUNT_TIMEOUT_MS };
  const { exitCode, output, timedOut } = await runProgram({ path: MOUNT, args, ...limits }, clock);
  if (timedOut)
    throw failure("DeadlineExceeded", plan, path, `no answer within ${MOUNT_TIMEOUT_MS} ms`);
  if (exitCode !== 0)
    throw failure("Internal", plan, path, withoutPassword(kernelWords(output.trim()), options));
}

/** Takes off whatever is mounted at a volume. @throws {ClusterError} Internal when it stays. */
export async function unmountVolume(path: string): Promise<void> {
  for (let layer = 0; isMountedAt(path); layer++) {
    if (layer === LAYERS_MAX)
      throw new ClusterError("Internal", `cannot unmount ${path}: it stays mounted`);
    await unmountAside(path);
  }
}

async function resolveHost(plan: VolumeMountPlan, path: string): Promise<string> {
  if (plan.hostName === "") return plan.options;
  try {
    return withAddress(plan, (await lookup(plan.hostName)).address);
  } catch (cause) {
    const reason = `error resolving passed in network volume address: ${errorMessage(cause)}`;
    throw failure("Internal", plan, path, reason);
  }
}

/** Docker's words, as far as they are not the kernel's. */
function failure(
  code: "Internal" | "DeadlineExceeded",
  { device }: VolumeMountPlan,
  path: string,
  reason: string,
): ClusterError {
  return new ClusterError(
    code,
    `error while mounting volume '${path}': failed to mount local volume: mount ${device}:${path}: ${reason}`,
  );
}
