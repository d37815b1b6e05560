import type { ContainerFileBackend } from "../../api/backends/container-files.ts";
import { ContainerArchives } from "../../runtime/archive/container-archives.ts";
import { attributesOf } from "../../runtime/container/container-events.ts";
import type { ContainerId } from "../../runtime/container/types.ts";
import type { EngineParts } from "../../runtime/types.ts";

/** Files of this machine's containers as the API needs them. */
export function newContainerFiles(
  engine: Pick<EngineParts, "containers" | "events">,
): ContainerFileBackend {
  const { containers, events } = engine;
  const archives = new ContainerArchives(containers);
  const say = (id: string, action: string) =>
    events.publish({
      type: "container",
      action,
      actorId: id,
      attributes: attributesOf(containers.get(id as ContainerId)),
    });
  return {
    containerChanges: async (id) => containers.changes(id as ContainerId),
    async exportContainer(id, send) {
      say(id, "export");
      await archives.packRoot(id as ContainerId, send);
    },
    statContainerPath: async (id, path) => archives.stat(id as ContainerId, path),
    async packContainerPath(id, path, send) {
      await archives.pack(id as ContainerId, path, async (stat, chunks) => {
        say(id, "archive-path");
        await send(stat, chunks);
      });
    },
    async unpackToContainer(id, request) {
      await archives.unpack(id as ContainerId, request);
      say(id, "extract-to-dir");
    },
  };
}
