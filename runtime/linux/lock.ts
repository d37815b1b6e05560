import { closeSync, openSync } from "node:fs";
import { checked, libc } from "./libc.ts";

// int flock(int fd, int operation);
const flock = libc.func("int flock(int fd, int operation)");

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes the file for this process alone; the kernel gives it back when the process ends, however it ends.
 *
 * @returns gives it back before that.
 * @throws {ClusterError} `Unavailable` when another process has it.
 */
export function lockFile(path: string): () => void {
  const fd = openSync(path, "a", 0o600);
  try {
    checked(flock(fd, LOCK_EX | LOCK_NB) as number, `lock ${path}`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return () => closeSync(fd);
}
