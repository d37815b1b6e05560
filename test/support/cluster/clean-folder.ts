import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { systemClock } from "../../../core/system-clock.ts";
import { probeCgroups } from "../../../runtime/linux/cgroups.ts";
import { eventually } from "../eventually.ts";
import { childrenOf, killQuietly, processesNaming } from "../processes.ts";

const run = promisify(execFile);

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
  await cgroups.removeOwn();
}

/** Deepest first. */
function mountsBelow(folder: string): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const targets = lines
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => target.startsWith(`${folder}/`));
  return targets.reverse();
}
