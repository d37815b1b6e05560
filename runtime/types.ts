import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Builds } from "./build/types.ts";
import type { MachineAbilities } from "./cgroup/abilities.ts";
import type { ProgramVersion } from "./container/runtime-version.ts";
import type { ContainerRoots, MachineContainers } from "./container/types.ts";
import type { EventJournal } from "./events/event-journal.ts";
import type { ImageStoreOptions, Images } from "./image/types.ts";
import type { PublishedPortView } from "./network/ports/types.ts";
import type { MachineNetworks } from "./network/types.ts";
import type { ContainerUsage } from "./stats/types.ts";
import type { Volumes } from "./volume/types.ts";

/** For `Engine.open` in engine.ts. */
export interface EngineOptions {
  /** What must survive a reboot: images, volumes, records and logs of containers. Absolute; made if missing. */
  readonly dataRoot: string;
  /** What must not: bundles, sockets, exit files. Absolute; made if missing; best on tmpfs. */
  readonly execRoot: string;
  readonly log: Log;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Name of the OCI runtime of containers that ask for none; default: crun where it works, else runc. */
  readonly defaultRuntime?: string;
  /** Paths of further OCI runtimes by name. */
  readonly runtimes?: Readonly<Record<string, string>>;
  readonly images?: ImageStoreOptions;
}

/** This machine's images, containers and volumes. Opening it takes up what an earlier process left running. */
export interface EngineParts {
  readonly images: Images;
  readonly containers: MachineContainers & ContainerRoots;
  readonly volumes: Volumes;
  readonly builds: Builds;
  readonly networks: MachineNetworks;
  readonly ports: PublishedPortView;
  /** What containers use. */
  readonly usage: ContainerUsage;
  /** What happened here; everybody says it there. */
  readonly events: EventJournal;
  /** What runs containers: OCI runtimes, the default first, then conmon, and an init where there is one. */
  readonly programs: readonly ProgramVersion[];
  /** File name of the init; empty: there is none. */
  readonly initProgram: string;
  readonly abilities: MachineAbilities;
  /** Lets go of everything; containers run on. */
  close(): Promise<void>;
}
