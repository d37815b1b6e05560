import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { ContainerHost } from "./container-run.ts";
import type { RecordStore } from "./record-store.ts";
import { clearRun, findRemains } from "./run-remains.ts";
import type { ContainerId } from "./types.ts";

/**
 * Removes from the machine what belongs to no container that was made to the end: processes, control groups, bundles, root
 * file systems, directories, volumes of their own.
 *
 * What cannot be removed is told and left for the next time.
 *
 * @param known containers that have a whole record; nothing of theirs is touched.
 */
export async function clearRemains(
  known: ReadonlySet<ContainerId>,
  host: ContainerHost,
  records: RecordStore,
  log: Log,
): Promise<void> {
  for (const id of new Set([...records.ids(), ...findRemains(host)])) {
    if (known.has(id)) continue;
    try {
      await clearRun(id, undefined, host);
      await host.images.removeRootfs(id);
      await host.volumes.release(id, await records.claimedVolumes(id));
      await records.forget(id);
      log.info("removed what was left of a container", { container: id });
    } catch (error) {
      const reason = errorMessage(error);
      log.warn("cannot remove what is left of a container", { container: id, reason });
    }
  }
}
