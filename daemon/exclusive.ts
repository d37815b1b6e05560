import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ClusterError } from "../core/errors.ts";
import { lockFile } from "../runtime/linux/lock.ts";
import type { DaemonConfig } from "./config.ts";

/**
 * Makes sure that no other `musterd` works in the same directories, and writes the pid file.
 *
 * @returns removes the pid file and lets the directories go.
 * @throws {ClusterError} `FailedPrecondition` naming the directory, and the process that has it if one does.
 */
export function takeDirectories({ dataRoot, execRoot, pidFile }: DaemonConfig): () => void {
  for (const path of [dataRoot, execRoot, dirname(pidFile)]) makeDirectory(path);
  const locks = [dataRoot, execRoot].map((root) => lockRoot(root, pidFile));
  writeFileSync(pidFile, `${process.pid}\n`);
  return () => {
    rmSync(pidFile, { force: true });
    for (const unlock of locks) unlock();
  };
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o711 });
  } catch (cause) {
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    const message = `cannot start: the directory ${path} cannot be made (${code}): choose another by --data-root, --exec-root or --pidfile`;
    throw new ClusterError("FailedPrecondition", message, { cause });
  }
}

function lockRoot(root: string, pidFile: string): () => void {
  try {
    return lockFile(join(root, "musterd.lock"));
  } catch (cause) {
    if (!(cause instanceof ClusterError && cause.code === "Unavailable")) throw cause;
    const message = `cannot start: another musterd${holder(pidFile)} uses ${root}: stop it, or give this one its own --data-root and --exec-root`;
    throw new ClusterError("FailedPrecondition", message, { cause });
  }
}

function holder(pidFile: string): string {
  try {
    return ` (pid ${readFileSync(pidFile, "utf8").trim()})`;
  } catch {
    return "";
  }
}
