import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { arch, cpus, hostname, release } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { ClusterError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { systemClock } from "../core/system-clock.ts";
import { Builder } from "./build/builder.ts";
import type { MachineAbilities } from "./cgroup/abilities.ts";
import type { ContainerHost } from "./container/container-run.ts";
import { LocalContainers } from "./container/local-containers.ts";
import { OciRuntimes } from "./container/oci-runtimes.ts";
import { runtimeRoot } from "./container/paths.ts";
import {
  claimStrayHierarchies,
  describePrograms,
  findInit,
  hasApparmor,
  requireConmon,
  requireRoot,
  requireRuntimes,
  requireSeccomp,
} from "./container/requirements.ts";
import type { ProgramVersion } from "./container/runtime-version.ts";
import { EventJournal } from "./events/event-journal.ts";
import { ImageStore } from "./image/image-store.ts";
import { absentArchitectures } from "./linux/abi.ts";
import { type Cgroups, probeCgroups } from "./linux/cgroups.ts";
import { closeOnExecAll } from "./linux/descriptors.ts";
import { maxOpenFiles, ownCapabilities } from "./linux/process.ts";
import type { StrayHierarchies } from "./linux/stray-hierarchies.ts";
import { LocalNetworks } from "./network/local-networks.ts";
import { PublishedPorts } from "./network/ports/published-ports.ts";
import { RepairLoop } from "./network/repair-loop.ts";
import type { UsageLoop } from "./stats/loop.ts";
import { newUsageLoop } from "./stats/machine.ts";
import type { EngineOptions, EngineParts } from "./types.ts";
import { LocalVolumes } from "./volume/local-volumes.ts";

/** Node's names of architectures in Go's spelling, which images and profiles use. */
const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** This machine's images, containers and volumes under one pair of roots. */
export class Engine implements EngineParts {
  readonly images: ImageStore;
  readonly containers: LocalContainers;
  readonly volumes: LocalVolumes;
  readonly networks: LocalNetworks;
  readonly ports: PublishedPorts;
  readonly builds: Builder;
  readonly events: EventJournal;
  readonly programs: readonly ProgramVersion[];
  readonly initProgram: string;
  readonly abilities: MachineAbilities;
  readonly usage: UsageLoop;
  /** Of the rules of networks and ports. */
  readonly repair: RepairLoop;
  readonly #cgroups: Cgroups;
  readonly #strays: StrayHierarchies;

  private constructor(parts: {
    readonly images: ImageStore;
    readonly containers: LocalContainers;
    readonly volumes: LocalVolumes;
    readonly networks: LocalNetworks;
    readonly ports: PublishedPorts;
    readonly builds: Builder;
    readonly events: EventJournal;
    readonly programs: readonly ProgramVersion[];
    readonly initPath: string;
    readonly abilities: MachineAbilities;
    readonly cgroups: Cgroups;
    readonly strays: StrayHierarchies;
    readonly usage: UsageLoop;
    readonly repair: RepairLoop;
  }) {
    this.images = parts.images;
    this.containers = parts.containers;
    this.volumes = parts.volumes;
    this.networks = parts.networks;
    this.ports = parts.ports;
    this.builds = parts.builds;
    this.events = parts.events;
    this.programs = parts.programs;
    this.initProgram = basename(parts.initPath);
    this.abilities = parts.abilities;
    this.usage = parts.usage;
    this.repair = parts.repair;
    this.#cgroups = parts.cgroups;
    this.#strays = parts.strays;
  }

  /**
   * Opens what is under the roots and takes up what an earlier process left running.
   *
   * @throws {ClusterError} PermissionDenied (not root), FailedPrecondition (a program is missing, named with its package),
   *   InvalidArgument (roots).
   */
  static async open(options: EngineOptions): Promise<Engine> {
    const { dataRoot, execRoot } = options;
    for (const root of [dataRoot, execRoot])
      if (!isAbsolute(root))
        throw new ClusterError("InvalidArgument", `invalid root ${root}: it is not absolute`);
    requireRoot();
    const log = options.log.child({ component: "runtime" });
    const strays = claimStrayHierarchies(log);
    try {
      return await Engine.#open(options, strays, log);
    } catch (error) {
      strays.release();
      throw error;
    }
  }

  static async #open(options: EngineOptions, strays: StrayHierarchies, log: Log): Promise<Engine> {
    const { dataRoot, execRoot, clock = systemClock } = options;
    const conmonPath = requireConmon();
    const seccomp = requireSeccomp();
    const cgroups = probeCgroups(dataRoot, clock);
    const { defaultRuntime: defaultName = "", runtimes: added = {} } = options;
    const programs = await requireRuntimes({ defaultName, added }, cgroups.layout, clock, log);
    closeOnExecAll();

    const roots = { dataRoot, execRoot };
    await mkdir(dataRoot, { recursive: true, mode: 0o711 });
    await mkdir(execRoot, { recursive: true, mode: 0o711 });
    const events = new EventJournal(clock);
    const images = await ImageStore.open(dataRoot, { ...options.images, events }, log);
    const volumes = await LocalVolumes.open(join(dataRoot, "volumes"), clock, events);
    const networkOptions = {
      dataRoot,
      execRoot,
      clock,
      events,
      log: log.child({ component: "local-networks" }),
    };
    const networks = await LocalNetworks.open(networkOptions);
    const ports = PublishedPorts.open(networkOptions);
    const initPath = findInit();
    const helpers = await describePrograms([conmonPath, initPath], clock);
    const facts = { ...machineFacts(cgroups), initPath, seccomp };
    const runtimes = new OciRuntimes(programs, runtimeRoot(roots), release(), clock);
    const host = {
      roots,
      runtimes,
      conmonPath,
      cgroups,
      images,
      volumes,
      networks,
      ports,
      facts,
      events,
      clock,
    };
    const containers = await LocalContainers.open(host, log);
    images.protectWith((id) =>
      containers.list().some((one) => one.id === id && one.state === "running"),
    );
    const builds = await Builder.open({ images, containers, clock }, dataRoot, log);
    const abilities = {
      ...cgroups.abilities(),
      apparmor: hasApparmor(),
      cpus: cpus().length,
      memoryNodes: readMemoryNodes(),
      cgroupKind: cgroups.layout.kind,
      runtimes: runtimes.names(),
    };
    const usage = newUsageLoop({ containers, cgroups, clock });
    const repair = new RepairLoop({ networks, ports }, clock, networkOptions.log);
    const parts = { images, containers, volumes, networks, ports, builds, usage, repair };
    return new Engine({
      ...{ ...parts, programs: [...programs, ...helpers], initPath },
      ...{ events, abilities, cgroups, strays },
    });
  }

  /** Lets go of everything; containers run on. */
  async close(): Promise<void> {
    this.usage.close();
    this.repair.close();
    this.containers.close();
    this.ports.close();
    this.networks.close();
    if (await this.#cgroups.removeOwn()) this.#strays.release();
    await this.images.close();
  }
}

function machineFacts(cgroups: Cgroups): Omit<ContainerHost["facts"], "initPath" | "seccomp"> {
  return {
    hostname: hostname(),
    cgroupKind: cgroups.layout.kind,
    canLimitSwap: cgroups.canLimitSwap(),
    nofileMax: maxOpenFiles(),
    architecture: GO_ARCH[arch()] ?? arch(),
    kernel: release(),
    absentArchitectures: absentArchitectures(),
    ownCapabilities: ownCapabilities(),
    hasApparmor: hasApparmor(),
  };
}

/** Machines without such nodes have one. */
function readMemoryNodes(): string {
  const path = "/sys/devices/system/node/has_memory";
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "0";
}
