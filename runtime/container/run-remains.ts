import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  watch,
} from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { unmountAside } from "../linux/mount.ts";
import { removeTree } from "../linux/open-directory.ts";
import { findProcess } from "../linux/process.ts";
import { watchConmon } from "./conmon.ts";
import type { ContainerHost } from "./container-run.ts";
import { type Ending, UNKNOWN_EXIT_CODE } from "./life.ts";
import { bundlesDir, type ContainerPaths, containerPaths, exitDir } from "./paths.ts";
import { releaseMounts } from "./run-mounts.ts";
import type { ContainerId } from "./types.ts";
import { within } from "./within.ts";

/** What a run of a container leaves on the machine: finding it, reading it, clearing it away. */

const CONTAINER_ID = /^[0-9a-f]{64}$/;
/** From conmon's letting go of everything to its exit file, normally well under a millisecond. */
const EXIT_FILE_WAIT_MS = 5000;
/** How often a conmon is looked at that may end without an exit file. */
const CONMON_LOOK_MS = 10;
/** How long a conmon whose container was killed may take to end. */
const CONMON_END_MS = 10_000;

/** Ids of the containers of which anything of a run is left, known or not. */
export function findRemains(host: ContainerHost): Set<ContainerId> {
  const { roots, cgroups, runtimes } = host;
  const names = [bundlesDir(roots), exitDir(roots)].flatMap((dir) => readdirSync(dir));
  return new Set(
    [...names, ...runtimes.containers(), ...cgroups.list()].filter((name) =>
      CONTAINER_ID.test(name),
    ),
  ) as Set<ContainerId>;
}

/** Whether a container's conmon lives: somebody holds the write end of its FIFO. */
export function isConmonAlive(paths: ContainerPaths): boolean {
  if (!existsSync(paths.lifeFifo)) return false;
  const fd = openSync(paths.lifeFifo, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return readSync(fd, Buffer.alloc(1)) > 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return true;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** How a run ended, once the FIFO of its conmon has told the end of it. Its control group must still be there. */
export async function readEnding(id: ContainerId, host: ContainerHost): Promise<Ending> {
  const oomKilled = host.cgroups.oomKills(id) > 0;
  const exitCode = await awaitExitCode(containerPaths(host.roots, id), host.clock);
  return {
    exitCode: exitCode ?? UNKNOWN_EXIT_CODE,
    oomKilled,
    error: exitCode === undefined ? "nobody saw how it ended: its conmon was killed" : "",
    finishedAtMs: host.clock.nowMs(),
  };
}

/** Undefined when conmon was killed before it could write the code down. */
async function awaitExitCode(paths: ContainerPaths, clock: Clock): Promise<number | undefined> {
  // conmon closes what it holds, and with it the FIFO, just before it writes the file: the file may still be coming.
  if (!existsSync(paths.exitFile) && isRunningConmon(paths)) {
    const file = watchForFile(dirname(paths.exitFile), paths.exitFile);
    const deadlineMs = clock.monotonicMs() + EXIT_FILE_WAIT_MS;
    // One whose container could not be made ends without a file: its end is looked for too.
    while (isRunningConmon(paths) && clock.monotonicMs() < deadlineMs)
      if (await within(file.appeared, CONMON_LOOK_MS, clock)) break;
    file.unwatch();
  }
  if (!existsSync(paths.exitFile)) return undefined;
  const code = Number((await readFile(paths.exitFile, "utf8")).trim());
  return Number.isInteger(code) ? code : undefined;
}

function isRunningConmon(paths: ContainerPaths): boolean {
  if (!existsSync(paths.conmonPidFile)) return false;
  return findProcess(Number(readFileSync(paths.conmonPidFile, "utf8"))) !== undefined;
}

/**
 * Ends what still runs of a container and removes everything of its run; nothing to do when there is nothing.
 *
 * Every step is made whatever became of the others. The bundle goes last, and only when all else is gone: as long as it
 * is there, a later call knows that something is left.
 *
 * @throws the first failure.
 */
export async function clearRun(
  id: ContainerId,
  merged: string | undefined,
  host: ContainerHost,
): Promise<void> {
  const paths = containerPaths(host.roots, id);
  const failures: unknown[] = [];
  const attempt = async (step: () => void | Promise<void>) => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(() => endRun(id, paths, host));
  await attempt(() => host.runtimes.forget(id));
  for (const dir of [paths.filesDir, paths.shmDir])
    await attempt(() => (existsSync(dir) ? unmountAside(dir) : undefined));
  await attempt(() => (merged === undefined ? undefined : host.images.unmountRootfs({ merged })));
  await attempt(() => host.ports.unpublish(id));
  await attempt(() => host.networks.detach(id));
  await attempt(() => releaseMounts(paths));
  await attempt(() => host.volumes.unmountAll(id));
  await attempt(() => rm(paths.exitFile, { force: true }));
  if (failures.length > 0) throw failures[0];
  await removeTree(paths.bundle);
}

/**
 * Kills the container's processes; its conmon then ends by itself.
 *
 * @throws {ClusterError} DeadlineExceeded when it does not.
 */
async function endRun(id: ContainerId, paths: ContainerPaths, host: ContainerHost): Promise<void> {
  if (isConmonAlive(paths)) {
    const conmon = watchConmon(paths);
    const pidFile = watchForFile(paths.bundle, paths.pidFile);
    // A conmon that is still having the container created must not be overtaken: there is nothing to kill yet.
    await within(Promise.race([conmon.ended, pidFile.appeared]), CONMON_END_MS, host.clock);
    pidFile.unwatch();
    await host.cgroups.remove(id);
    const ended = await within(conmon.ended, CONMON_END_MS, host.clock);
    conmon.unwatch();
    // Its last deed, which must not come after the file was removed.
    await awaitExitCode(paths, host.clock);
    if (!ended)
      throw new ClusterError(
        "DeadlineExceeded",
        `cannot clear away container ${id}: its conmon does not end`,
      );
  }
  await host.cgroups.remove(id);
}

function watchForFile(
  dir: string,
  path: string,
): { readonly appeared: Promise<void>; unwatch(): void } {
  const watcher = watch(dir);
  const appeared = new Promise<void>((resolve) => {
    const look = () => {
      if (existsSync(path)) resolve();
    };
    watcher.on("change", look);
    // The directory may go under our feet; then there is nothing to wait for.
    watcher.on("error", () => resolve());
    look();
  });
  return { appeared, unwatch: () => watcher.close() };
}
