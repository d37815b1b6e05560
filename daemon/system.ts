import { readdirSync } from "node:fs";
import type { DistributionFacts, SystemBackend } from "../api/backend.ts";
import { ClusterError } from "../core/errors.ts";
import { CDI_DIRS, listCdiDevices } from "../runtime/container/cdi/cdi-files.ts";
import type { EngineParts } from "../runtime/types.ts";
import { readCredentials } from "./engine/credentials.ts";
import type { StaticFacts } from "./facts.ts";

/** A registry gets this long to say what a tag means: `service create` waits for it, and goes on without. */
const DISTRIBUTION_TIMEOUT_MS = 15_000;

/** This machine as the API shows it: facts from its start, counts of now. */
export function newSystem(
  /** As they are now. */
  staticFacts: () => StaticFacts,
  { containers, images, abilities }: EngineParts,
  /** What is wrong now, for a person to see. */
  complaints: () => readonly string[] = () => [],
): SystemBackend {
  return {
    facts() {
      const all = containers.list();
      const live = all.filter(({ state, restarting }) => state === "running" || restarting);
      const paused = live.filter((container) => container.paused).length;
      const running = live.length - paused;
      const facts = staticFacts();
      return {
        ...facts,
        containers: { running, paused, stopped: all.length - live.length },
        abilities,
        cdi: { dirs: CDI_DIRS, devices: listCdiDevices() },
        openFiles: readdirSync("/proc/self/fd").length,
        images: images.list().length,
        warnings: [...facts.warnings, ...complaints()],
      };
    },
    async distribution(image, registryAuth): Promise<DistributionFacts> {
      const signal = AbortSignal.timeout(DISTRIBUTION_TIMEOUT_MS);
      const credentials = readCredentials(registryAuth);
      const { descriptor, platforms } = await images
        .resolveDigest(image, { credentials, signal })
        .catch((error: unknown) => {
          throw signal.aborted ? tooLate(image, error) : error;
        });
      const { mediaType, digest, sizeBytes } = descriptor;
      return { mediaType, digest, sizeBytes, platforms };
    },
  };
}

function tooLate(image: string, cause: unknown): ClusterError {
  const seconds = DISTRIBUTION_TIMEOUT_MS / 1000;
  const message = `the registry of ${image} did not answer within ${seconds} s: check that it works and is reached from this node`;
  return new ClusterError("Unavailable", message, { cause });
}
