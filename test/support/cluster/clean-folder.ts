import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { eventually } from "../eventually.ts";

const run = promisify(execFile);

/**
 * Ends what daemons that were killed left behind below `folder`: containers with their conmon, mounts, and cgroups.
 *
 * Everything ours names the folder in its command line or mount point, so nothing else on the machine is touched.
 */
export async function cleanFolder(folder: string): Promise<void> {
  const pids = processesNaming(folder);
  for (const pid of pids) for (const child of [...childrenOf(pid), pid]) killQuietly(child);
  await eventually(`the processes of ${folder} end`, () => processesNaming(folder).length === 0);
  await eventually(`nothing is mounted below ${folder}`, async () => {
    // One that went by itself meanwhile is as good.
    for (const target of mountsBelow(folder))
      await run("umount", ["--lazy", target]).catch(() => undefined);
    return mountsBelow(folder).length === 0;
  });
}

/** Processes whose command line names the folder, but for ourselves. */
function processesNaming(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => readQuietly(`/proc/${pid}/cmdline`).includes(folder));
}

function childrenOf(pid: number): number[] {
  const words = readQuietly(`/proc/${pid}/task/${pid}/children`).split(" ");
  return words.filter((word) => word !== "").map(Number);
}

/** Deepest first. */
function mountsBelow(folder: string): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const targets = lines
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => target.startsWith(`${folder}/`));
  return targets.reverse();
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A process may be gone before its file is read. */
function readQuietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
