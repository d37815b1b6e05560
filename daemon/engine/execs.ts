import type { ExecBackend } from "../../api/backends/execs.ts";
import type { ContainerId, MachineContainers } from "../../runtime/container/types.ts";

/** Commands in this machine's containers as the API needs them. */
export function newExecs({ execs }: Pick<MachineContainers, "execs">): ExecBackend {
  return {
    createExec: (containerId, config) => execs.createExec(containerId as ContainerId, config).id,
    getExec: (id) => execs.getExec(id),
    startExec: async (id, options) => execs.startExec(id, options),
    resizeExec: (id, size) => execs.resizeExec(id, size),
  };
}
