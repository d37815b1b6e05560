import { newApi } from "../api/api.ts";
import type { ApiServer } from "../api/http/server.ts";
import type { AdjustableLog, Log } from "../core/log.ts";
import { systemClock } from "../core/system-clock.ts";
import { systemRandom } from "../core/system-random.ts";
import { Engine } from "../runtime/engine.ts";
import { Network } from "../worker/network/network.ts";
import { newBackends } from "./backends.ts";
import { startPeriodic } from "./backup/backup-config.ts";
import { Backups } from "./backup/backups.ts";
import type { DaemonConfig } from "./config.ts";
import { newBuilds } from "./engine/builds.ts";
import { newContainerFiles } from "./engine/container-files.ts";
import { newContainerUsage } from "./engine/container-usage.ts";
import { newContainers } from "./engine/containers.ts";
import { newDiskUsage } from "./engine/disk-usage.ts";
import { newEvents } from "./engine/events.ts";
import { newExecs } from "./engine/execs.ts";
import { newImages } from "./engine/images.ts";
import { newLocalNetworks } from "./engine/local-networks.ts";
import { newRegistries } from "./engine/registries.ts";
import { swarmEvent } from "./engine/swarm-events.ts";
import { newVolumes } from "./engine/volumes.ts";
import { takeDirectories } from "./exclusive.ts";
import { describeNode, readFacts } from "./facts.ts";
import { listenAt } from "./listeners.ts";
import { LiveSettings } from "./live-settings.ts";
import { chooseLog } from "./log-choice.ts";
import { SwarmFiles } from "./node/swarm-files.ts";
import { SwarmNode } from "./node/swarm-node.ts";
import { ownAddresses } from "./own-addresses.ts";
import { runtimePaths } from "./runtimes-config.ts";
import { newSystem } from "./system.ts";
import { readTls } from "./tls-config.ts";

/** A daemon at work. */
export interface Daemon {
  /** Takes what of a configuration can be taken while it runs, and tells what cannot. */
  reload(config: DaemonConfig): void;
  /** Stops serving and leaves every container running. */
  close(): Promise<void>;
}

/**
 * Starts everything this machine has: its engine, its place in a swarm if it is in one, and the API.
 *
 * @throws {ClusterError} saying what is missing or in the way.
 */
export async function startDaemon(
  config: DaemonConfig,
  version: string,
  log: AdjustableLog,
  onFatal: (error: unknown) => void,
): Promise<Daemon> {
  const logChoice = chooseLog(config);
  const tls = readTls(config);
  const release = takeDirectories(config);
  const { dataRoot, execRoot, insecureRegistries, registryMirrors } = config;
  const engine = await Engine.open({
    dataRoot,
    execRoot,
    log: log.child({ component: "runtime" }),
    images: { insecureRegistries, registryMirrors },
    defaultRuntime: config.defaultRuntime,
    runtimes: runtimePaths(config.runtimes),
  });
  const facts = readFacts(config, version, engine);
  const settings = new LiveSettings(config, {
    facts,
    images: engine.images,
    ...{ events: engine.events, repair: engine.repair },
    log,
  });
  const node = new SwarmNode({
    dataRoot,
    files: new SwarmFiles(dataRoot),
    logChoice,
    containers: engine.containers,
    images: engine.images,
    openNetwork: async () => openNetwork(execRoot, engine, log),
    describe: () => describeNode(settings.facts()),
    ownAddresses,
    whereabouts: { advertiseAddr: config.advertiseAddr, managers: config.managers },
    clock: systemClock,
    random: systemRandom,
    log,
    onChanges: (changes) => {
      for (const event of changes.map(swarmEvent)) if (event) engine.events.publish(event);
    },
    onFatal,
  });
  await node.resume();
  const clock = systemClock;
  const backups = new Backups({ node, version, clock, log: log.child({ component: "backup" }) });
  const periodic = startPeriodic(config, backups, { node, clock, log });
  const api: ApiServer = newApi(
    newBackends(node, {
      system: newSystem(
        () => settings.facts(),
        engine,
        () => (periodic?.failure ? [periodic.failure] : []),
      ),
      containers: newContainers(engine),
      containerFiles: newContainerFiles(engine),
      execs: newExecs(engine.containers),
      containerUsage: newContainerUsage(engine),
      images: newImages(engine.images, clock, engine.events),
      builds: newBuilds(engine.builds),
      backups,
      registries: newRegistries(engine.images),
      diskUsage: newDiskUsage(engine.volumes),
      volumes: newVolumes(engine.volumes),
      localNetworks: newLocalNetworks(engine),
      events: newEvents(engine.events),
    }),
    log.child({ component: "api" }),
  );
  await listenAt(api, config.hosts, { group: config.group, tls, log });
  return {
    reload: (read) => settings.reload(read),
    async close() {
      await api.close();
      await periodic?.close();
      await node.close();
      await engine.close();
      release();
    },
  };
}

/** The swarm's part of this machine's network. */
function openNetwork(execRoot: string, engine: Engine, log: Log): Promise<Network> {
  return Network.open({
    execRoot,
    hostPorts: engine.ports.hostPorts,
    clock: systemClock,
    random: systemRandom,
    log: log.child({ component: "network" }),
  });
}
