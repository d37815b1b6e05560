import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Below a manager's own folder. */
export const RAFT_FOLDER = "raft";

/** Whether a log was ever begun in a manager's folder and is still there. */
export function holdsLog(dir: string): boolean {
  const folder = join(dir, RAFT_FOLDER);
  return existsSync(folder) && readdirSync(folder).some((name) => /\.(wal|snap)$/.test(name));
}
