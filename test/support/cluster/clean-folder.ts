import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { systemClock } from "../../../core/system-clock.ts";
import { allDirs } from "../../../runtime/cgroup/layout.ts";
import { probeCgroups } from "../../../runtime/linux/cgroups.ts";
import { eventually } from "../eventually.ts";
import { childrenOf, killQuietly, processesNaming } from "../processes.ts";

const run = promisify(execFile);
/** How long the last processes may take to be gone from them. */
const GROUPS_MS = 20_000;

/**
 * Ends what daemons that were killed left behind below `folder`: containers with their conmon, mounts, and cgroups.
 *
 * Everything ours names the folder in its command line or mount point, so nothing else on the machine is touched.
 */
export async function cleanFolder(folder: string): Promise<void> {
  for (const { pid } of processesNaming(folder))
    for (const child of [...childrenOf(pid), pid]) killQuietly(child);
  await eventually(`the processes of ${folder} end`, () => processesNaming(folder).length === 0);
  await eventually(`nothing is mounted below ${folder}`, async () => {
    // One that went by itself meanwhile is as good.
    for (const target of mountsBelow(folder))
      await run("umount", ["--lazy", target]).catch(() => undefined);
    return mountsBelow(folder).length === 0;
  });
}

/** Removes the control groups of a daemon that was killed; its containers must have ended. */
export async function removeCgroups(dataRoot: string): Promise<void> {
  const cgroups = probeCgroups(dataRoot, systemClock);
  for (const containerId of cgroups.list()) await cgroups.remove(containerId);
  // It gives up when the last conmons take their time, as the daemon may: the next one goes on.
  const isGone = async () => {
    await cgroups.removeOwn();
    return groupsOf(dataRoot).length === 0;
  };
  await eventually(`the control groups of ${dataRoot} are gone`, isGone, GROUPS_MS);
}

/** The directories that all control groups of a daemon are below. */
export function groupsOf(dataRoot: string): string[] {
  const cgroups = probeCgroups(dataRoot, systemClock);
  const parent = cgroups.groupOf("").replace(/\/$/, "");
  return allDirs(cgroups.layout, parent).filter((dir) => existsSync(dir));
}

/** Deepest first. */
function mountsBelow(folder: string): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const targets = lines
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => target.startsWith(`${folder}/`));
  return targets.reverse();
}
