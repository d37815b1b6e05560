import { existsSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeCgroupLayout } from "../../../runtime/linux/cgroups.ts";
import { removeAbandoned } from "../../../runtime/linux/stray-hierarchies.ts";
import { removeLab } from "../lab/lab.ts";
import { cleanFolder, removeCgroups } from "./clean-folder.ts";

/** The same each time: what a killed or kept run left is found and removed. */
export function clusterFolder(name: string): string {
  return join(tmpdir(), `muster-${name}`);
}

/** Ends and removes everything of the cluster of that name, however it came to be left; no error when there is none. */
export async function removeCluster(name: string): Promise<void> {
  const folder = clusterFolder(name);
  await cleanFolder(folder);
  const nodes = existsSync(folder) ? readdirSync(folder) : [];
  for (const node of nodes) await removeCgroups(join(folder, node, "data"));
  removeAbandoned(probeCgroupLayout());
  await removeLab(name);
  rmSync(folder, { recursive: true, force: true });
}
