import type { ContainerSettings, MountSettings } from "../../backends/container-settings.ts";
import { invalid } from "./invalid.ts";

/** What clients of earlier versions of the API mean by what they send. Source: moby, container_routes.go, postContainersCreate. */

const SHAREABLE_BEFORE_MINOR = 40;
const CONSOLE_SIZE_MINOR = 42;
const CREATE_SOURCE_MINOR = 42;
const NON_RECURSIVE_MINOR = 40;
const ANNOTATIONS_MINOR = 43;
const READ_ONLY_BELOW_MINOR = 44;
const START_INTERVAL_MINOR = 44;
const SUBPATH_MINOR = 45;

/** A new container as a client of API 1.`apiMinor` means it: fields that are younger say nothing. */
export function asOlderClientMeans(
  settings: ContainerSettings,
  apiMinor: number,
): ContainerSettings {
  const { client, health, namespaces } = settings;
  const { ConsoleSize: _, ...older } = client;
  return {
    ...settings,
    client: apiMinor < CONSOLE_SIZE_MINOR ? older : client,
    annotations: apiMinor < ANNOTATIONS_MINOR ? {} : settings.annotations,
    health:
      health === undefined || apiMinor >= START_INTERVAL_MINOR
        ? health
        : { ...health, startIntervalMs: 0 },
    namespaces:
      namespaces.ipc === "" && apiMinor < SHAREABLE_BEFORE_MINOR
        ? { ...namespaces, ipc: "shareable" }
        : namespaces,
    mounts: settings.mounts.map((mount) => asReadOnlyOnce(mount, apiMinor)),
  };
}

/** Before there were words for it, only the mount itself was read-only, not what is mounted below it. */
function asReadOnlyOnce(mount: MountSettings, apiMinor: number): MountSettings {
  if (apiMinor >= READ_ONLY_BELOW_MINOR || mount.type !== "bind" || !mount.readOnly) return mount;
  return { ...mount, readOnlyDepth: "top" };
}

/** One of `Mounts`. @throws {ClusterError} InvalidArgument for what must not be passed over. Docker's words. */
export function checkMountOfOlder(mount: MountSettings, apiMinor: number): MountSettings {
  if (mount.readOnlyDepth === "all" && apiMinor < READ_ONLY_BELOW_MINOR)
    throw invalid("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer");
  if (mount.subpath !== undefined && apiMinor < SUBPATH_MINOR)
    throw invalid("VolumeOptions.Subpath needs API v1.45 or newer");
  if (mount.type !== "bind" || apiMinor >= CREATE_SOURCE_MINOR) return mount;
  const { nonRecursive = false } = mount;
  return {
    ...mount,
    createSource: false,
    nonRecursive: nonRecursive && apiMinor >= NON_RECURSIVE_MINOR,
  };
}
