import type { FileChange, PathStat } from "../../api/backends/container-files.ts";
import type {
  ContainerSettings,
  HealthSettings,
  MountSettings,
  ResourceLimits,
} from "../../api/backends/container-settings.ts";
import type { UsageSample } from "../../api/backends/container-usage.ts";
import type {
  ContainerImage,
  MachineAbilities,
  MountFacts,
  PublishedPort,
} from "../../api/backends/containers.ts";
import type { ExecFacts, ExecSettings } from "../../api/backends/execs.ts";
import type {
  AddressPool,
  EndpointSettings,
  LocalNetworkCreation,
} from "../../api/backends/networks.ts";
import type { PathStat as RuntimePathStat } from "../../runtime/archive/path-stat.ts";
import type { MachineAbilities as RuntimeAbilities } from "../../runtime/cgroup/abilities.ts";
import type { Exec, ExecConfig } from "../../runtime/container/exec/types.ts";
import type { ResourceLimits as RuntimeLimits } from "../../runtime/container/settings.ts";
import type {
  ContainerConfig,
  HealthConfig,
  MountConfig,
  ResolvedMount,
} from "../../runtime/container/types.ts";
import type { TreeChange } from "../../runtime/image/layer/tree-changes.ts";
import type { ImageConfig } from "../../runtime/image/types.ts";
import type { NetworkCreation } from "../../runtime/network/plan/new-network.ts";
import type { PublishedPort as RuntimePublishedPort } from "../../runtime/network/ports/types.ts";
import type { EndpointConfig, Pool } from "../../runtime/network/types.ts";
import type { UsageSample as RuntimeUsageSample } from "../../runtime/stats/types.ts";

/*
 * The API may not import the runtime, so both say what a container is, each in types of its own, and objects pass between
 * them as they are. The compiler alone would let a field pass that only one side has, where it is optional: asked for,
 * and lost without a word. So it is made to check that the shapes are the same.
 */

type IsSame<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Holds<T extends true> = T;

/** Set by the daemon, not by those who ask. */
type Given = "network" | "resolvConf" | "addresses";

/** Does not compile when a shape is not the same on both sides. */
export type SameShapes = [
  Holds<IsSame<ContainerSettings, Omit<ContainerConfig, Given>>>,
  Holds<IsSame<MountSettings, MountConfig>>,
  Holds<IsSame<MountFacts, ResolvedMount>>,
  Holds<IsSame<HealthSettings, HealthConfig>>,
  Holds<IsSame<ResourceLimits, RuntimeLimits>>,
  Holds<IsSame<PublishedPort, RuntimePublishedPort>>,
  Holds<IsSame<EndpointSettings, EndpointConfig>>,
  Holds<IsSame<LocalNetworkCreation, NetworkCreation>>,
  Holds<IsSame<AddressPool, Pool>>,
  Holds<IsSame<ContainerImage, ImageConfig>>,
  Holds<IsSame<MachineAbilities, RuntimeAbilities>>,
  Holds<IsSame<ExecSettings, ExecConfig>>,
  Holds<IsSame<keyof ExecFacts, keyof Exec>>,
  Holds<IsSame<PathStat, RuntimePathStat>>,
  Holds<IsSame<FileChange, TreeChange>>,
  Holds<IsSame<keyof UsageSample, keyof RuntimeUsageSample>>,
];
