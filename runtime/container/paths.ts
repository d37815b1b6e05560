import { join } from "node:path";
import type { ContainerId } from "./types.ts";

/** Where everything of one container is; names follow from its id alone. */
export interface ContainerPaths {
  /** Survives a reboot. */
  readonly dir: string;
  readonly configFile: string;
  readonly statusFile: string;
  readonly logFile: string;
  /** The same as Docker's json-file driver writes it, and how far that is. */
  readonly jsonLogFile: string;
  readonly jsonLogPosition: string;
  /** Names of the volumes that were made for it alone. */
  readonly volumesFile: string;
  /** Exists from the beginning of a start until all of that run has been cleared away. */
  readonly bundle: string;
  /** Where the file system with the files of this run is mounted, if it has some. */
  readonly filesDir: string;
  /** Where the memory that others may join is mounted, if it has such. */
  readonly shmDir: string;
  /** Where the parts of volumes that it has are bound, if it has some. */
  readonly subpathsDir: string;
  /** conmon holds its write end until the container has ended. */
  readonly lifeFifo: string;
  readonly pidFile: string;
  readonly conmonPidFile: string;
  /** conmon's FIFO for orders. */
  readonly controlFifo: string;
  /** conmon's socket for those who give input and take output. */
  readonly attachSocket: string;
  readonly exitFile: string;
}

/** The two roots of an engine. */
export interface Roots {
  readonly dataRoot: string;
  readonly execRoot: string;
}

/** Where the directories of all containers are. */
export function containersDir(roots: Roots): string {
  return join(roots.dataRoot, "containers");
}

/** Where the bundles of all containers that run are. */
export function bundlesDir(roots: Roots): string {
  return join(roots.execRoot, "containers");
}

/** Where conmon writes exit codes. */
export function exitDir(roots: Roots): string {
  return join(roots.execRoot, "exits");
}

/** Where the OCI runtimes keep their state, each in a directory of its name. */
export function runtimeRoot(roots: Roots): string {
  return join(roots.execRoot, "runtime");
}

/** Where trees of mounts are put together, each for a moment. */
export function scratchDir(roots: Roots): string {
  return join(roots.execRoot, "scratch");
}

export function containerPaths(roots: Roots, id: ContainerId): ContainerPaths {
  const dir = join(containersDir(roots), id);
  const bundle = join(bundlesDir(roots), id);
  return {
    dir,
    configFile: join(dir, "config.json"),
    statusFile: join(dir, "status.json"),
    logFile: join(dir, "container.log"),
    jsonLogFile: join(dir, `${id}-json.log`),
    jsonLogPosition: join(dir, "json-log.position"),
    volumesFile: join(dir, "volumes"),
    bundle,
    filesDir: join(bundle, "files"),
    shmDir: join(bundle, "shm"),
    subpathsDir: join(bundle, "subpaths"),
    lifeFifo: join(bundle, "life"),
    pidFile: join(bundle, "pid"),
    conmonPidFile: join(bundle, "conmon.pid"),
    controlFifo: join(bundle, "ctl"),
    attachSocket: join(bundle, "attach"),
    exitFile: join(exitDir(roots), id),
  };
}
