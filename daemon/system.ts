import type { DistributionFacts, SystemBackend } from "../api/backend.ts";
import type { EngineParts } from "../runtime/types.ts";
import { parseRegistryAuth } from "../worker/tasks/registry-auth.ts";
import type { StaticFacts } from "./facts.ts";

/** This machine as the API shows it: facts from its start, counts of now. */
export function newSystem(facts: StaticFacts, { containers, images }: EngineParts): SystemBackend {
  return {
    facts() {
      const all = containers.list();
      const running = all.filter((container) => container.state === "running").length;
      return {
        ...facts,
        containers: { running, stopped: all.length - running },
        images: images.list().length,
      };
    },
    async distribution(image, registryAuth): Promise<DistributionFacts> {
      const { descriptor, platforms } = await images.resolveDigest(image, {
        credentials: parseRegistryAuth(registryAuth),
      });
      const { mediaType, digest, sizeBytes } = descriptor;
      return { mediaType, digest, sizeBytes, platforms };
    },
  };
}
