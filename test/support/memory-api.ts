import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newApi } from "../../api/api.ts";
import type { Backends, SwarmInfo, SystemBackend } from "../../api/backend.ts";
import type { ContainerFileBackend } from "../../api/backends/container-files.ts";
import type { ContainerUsageBackend } from "../../api/backends/container-usage.ts";
import { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { seededRandom } from "../../core/random.ts";
import { systemClock } from "../../core/system-clock.ts";
import { newBackends } from "../../daemon/backends.ts";
import { Backups } from "../../daemon/backup/backups.ts";
import { newContainers } from "../../daemon/engine/containers.ts";
import { newEvents } from "../../daemon/engine/events.ts";
import { newExecs } from "../../daemon/engine/execs.ts";
import { newLocalNetworks } from "../../daemon/engine/local-networks.ts";
import { leaderControl } from "../../manager/control/leader-control.ts";
import { DEFAULT_CLUSTER_SPEC, newSwarm } from "../../manager/genesis.ts";
import { MemoryLog } from "../../manager/log/memory-log.ts";
import { LogBroker } from "../../manager/logs/log-broker.ts";
import { Proposer } from "../../manager/store/proposer.ts";
import { Store } from "../../manager/store/store.ts";
import { NodeAvailability } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { unifiedAbilities } from "../../runtime/cgroup/abilities.ts";
import { EventJournal } from "../../runtime/events/event-journal.ts";
import {
  memoryDiskUsage,
  memoryImages,
  memoryRegistries,
  memoryVolumes,
  WEB_IMAGE,
} from "./memory-images.ts";
import { memoryNetworks } from "./memory-networks.ts";
import { MemoryContainers } from "./worker/memory-containers.ts";

const abilities = {
  ...unifiedAbilities(new Set(["memory", "cpu", "io", "cpuset", "pids"])),
  apparmor: false,
  cpus: 2,
  memoryNodes: "0",
  cgroupKind: "v2" as const,
  runtimes: ["runc"],
};

const FACTS: ReturnType<SystemBackend["facts"]> = {
  id: "daemon",
  name: "host1",
  version: "0.1.0",
  gitCommit: "",
  buildTime: "",
  kernelVersion: "6.1",
  operatingSystem: "Debian",
  osVersion: "12",
  architecture: "x86_64",
  cpus: 4,
  memoryBytes: 2 ** 33,
  dataRoot: "/var/lib/muster",
  labels: ["a=b"],
  containers: { running: 1, paused: 0, stopped: 2 },
  abilities,
  images: 3,
  cgroupVersion: "2",
  programs: [{ name: "runc", version: "1.1.5", commit: "abc" }],
  initProgram: "docker-init",
  fileSystem: "extfs",
  cdi: { dirs: ["/etc/cdi"], devices: ["vendor/class=one"] },
  openFiles: 7,
  insecureRegistries: ["registry:5000"],
  registryMirrors: [],
  warnings: [],
};

const DIGEST = `sha256:${"0".repeat(64)}`;

/** The API on a Unix socket, over the real control of a manager whose log is in memory. Nothing plans or runs. */
export interface MemoryApi {
  readonly socketPath: string;
  /** The manager's own. */
  readonly nodeId: string;
  /** What `/events` shows. */
  readonly journal: EventJournal;
  write(...changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

/** @param replace backends to put in place of the real ones. */
export async function startMemoryApi(
  replace: (backends: Backends) => Partial<Backends> = () => ({}),
): Promise<MemoryApi> {
  const random = seededRandom(1);
  const store = new Store();
  const replicatedLog = new MemoryLog(store);
  const proposer = new Proposer(replicatedLog, systemClock);
  const genesis = await newSwarm(
    {
      spec: DEFAULT_CLUSTER_SPEC,
      availability: NodeAvailability.ACTIVE,
      defaultAddressPools: ["10.0.0.0/8"],
      subnetSize: 24,
      dataPathPort: 4789,
    },
    { clock: systemClock, random },
  );
  await proposer.propose(genesis.changes);
  const control = leaderControl({
    view: () => store.view(),
    stateMachine: store,
    proposer,
    replicatedLog,
    logs: new LogBroker({ store, clock: systemClock, random }),
    clock: systemClock,
    random,
    randomBytes: (count) => randomBytes(count),
    log: silentLog,
  });
  const swarmInfo = (): SwarmInfo => ({
    state: "active",
    nodeId: genesis.nodeId,
    nodeAddr: "192.0.2.1",
    isManager: true,
    error: "",
    remoteManagers: [{ nodeId: genesis.nodeId, addr: "192.0.2.1:2377" }],
    cluster: store.view().cluster,
    nodes: 1,
    managers: 1,
  });
  const node = {
    getManager: () => ({ control }),
    init: async () => genesis.nodeId,
    join: async () => undefined,
    leave: async () => undefined,
    unlock: async () => {
      throw new ClusterError("AlreadyExists", "swarm is not locked");
    },
    swarmInfo,
  };
  const platforms = [{ architecture: "amd64", os: "linux", variant: "" }];
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const system = {
    facts: () => FACTS,
    distribution: async () => ({ mediaType, digest: DIGEST, sizeBytes: 1000, platforms }),
  };
  const images = memoryImages();
  const backups = new Backups({
    node: { ...node, restore: async () => genesis.nodeId },
    version: FACTS.version,
    clock: systemClock,
    log: silentLog,
  });
  const journal = new EventJournal(systemClock);
  const events = newEvents(journal);
  const engine = { containers: new MemoryContainers(), networks: memoryNetworks() };
  const containers = newContainers({
    ...engine,
    images: {
      get: (name) => {
        throw new ClusterError("NotFound", `no image ${name}`);
      },
    },
    abilities,
    events: journal,
    ports: { publishedPorts: () => [] },
  });
  const backends = newBackends(node, {
    ...{ system, containers, images, backups, events },
    registries: memoryRegistries(),
    diskUsage: memoryDiskUsage(),
    volumes: memoryVolumes(),
    containerFiles: noFiles,
    builds: { buildImage: async () => WEB_IMAGE.id },
    execs: newExecs(new MemoryContainers()),
    containerUsage: noUsage,
    localNetworks: newLocalNetworks(engine),
  });
  const server = newApi({ ...backends, ...replace(backends) }, silentLog);
  const folder = mkdtempSync(join(tmpdir(), "muster-api-"));
  const socketPath = join(folder, "api.sock");
  await server.listen({ path: socketPath });
  return {
    socketPath,
    nodeId: genesis.nodeId,
    journal,
    write: async (...changes) => void (await proposer.propose(changes)),
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const noUsage: ContainerUsageBackend = {
  sampleUsage: () => ({ current: undefined, previous: undefined }),
  async *followUsage() {},
};

/** No container is here, so none has files. */
const noFiles: ContainerFileBackend = {
  containerChanges: async () => [],
  exportContainer: async () => {},
  statContainerPath: async (_, path) => {
    throw new ClusterError("NotFound", `no ${path}`);
  },
  packContainerPath: async () => {},
  unpackToContainer: async () => {},
};
