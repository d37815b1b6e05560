import type { BuildBackend } from "../../api/backends/builds.ts";
import type { Builds } from "../../runtime/build/types.ts";
import { toNetwork } from "./containers.ts";
import { readCredentials } from "./credentials.ts";

/** Building images, as the API asks for it. */
export function newBuilds(builds: Builds): BuildBackend {
  return {
    buildImage(context, settings, options) {
      const { networkMode, limits, shmSizeBytes, ulimits, extraHosts, cgroupParent } = settings;
      const container = { network: toNetwork(networkMode), limits, shmSizeBytes, ulimits };
      const request = {
        ...settings,
        container: { ...container, extraHosts, cgroupParent },
        credentialsOf: (registry: string) =>
          readCredentials(settings.registryAuths.get(registry) ?? ""),
      };
      return builds.build(context, request, options);
    },
  };
}
