import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "./cluster/cluster.ts";

/** Pushes an image archive from the host outside the swarm to a registry on the lab's network, by our own client. */
export async function pushImage(
  cluster: Cluster,
  archive: string,
  reference: string,
): Promise<void> {
  const folder = join(cluster.folder, "push");
  const script = join(import.meta.dirname, "push-image-main.ts");
  const command = [process.execPath, "--import", "tsx", script, archive, folder, reference];
  const { code, stderr } = await cluster.lab.exec(cluster.outside, command);
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0) throw new Error(`cannot push ${reference}:\n${stderr}`);
}
