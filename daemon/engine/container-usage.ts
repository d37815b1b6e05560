import type { ContainerUsageBackend } from "../../api/backends/container-usage.ts";
import type { EngineParts } from "../../runtime/types.ts";

/** What this machine's containers use, as the API needs it. */
export function newContainerUsage({ usage }: Pick<EngineParts, "usage">): ContainerUsageBackend {
  return {
    sampleUsage: (id) => usage.sample(id),
    followUsage: (id, signal, onTooSlow) => usage.follow(id, { signal, onTooSlow }),
  };
}
