import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChannelCredentials } from "@grpc/grpc-js";
import { ClusterError } from "../../../core/errors.ts";
import { silentLog } from "../../../core/log.ts";
import { seededRandom } from "../../../core/random.ts";
import { systemClock } from "../../../core/system-clock.ts";
import { NodeDescription } from "../../../proto/gen/objects.ts";
import type { Image } from "../../../runtime/image/types.ts";
import { grpcDial } from "../../../worker/session/grpc-wire.ts";
import { Worker } from "../../../worker/worker.ts";
import type { TaskImages, WorkerOptions } from "../../../worker/worker-options.ts";
import { SILENT_IMAGE } from "../silent-image.ts";
import { MemoryContainers } from "./memory-containers.ts";
import { MemoryDataPlane } from "./memory-data-plane.ts";

/** Images by name; what is not there is not in the registry either. */
export class MemoryImages implements TaskImages {
  readonly inRegistry = new Set(["nginx:1"]);
  readonly #here = new Set<string>();
  pulls = 0;

  get(name: string): Image {
    if (this.#here.has(name)) return IMAGE;
    throw new ClusterError("NotFound", `no such image: ${name}`);
  }

  async pull(name: string): Promise<Image> {
    this.pulls++;
    await Promise.resolve();
    if (!this.inRegistry.has(name)) throw new ClusterError("NotFound", `${name} is not known`);
    this.#here.add(name);
    return IMAGE;
  }
}

const IMAGE: Image = {
  id: `sha256:${"0".repeat(64)}` as Image["id"],
  repoTags: [],
  repoDigests: [],
  config: SILENT_IMAGE,
  platform: { os: "linux", architecture: "amd64", variant: "" },
  created: "",
  sizeBytes: 0,
  layers: [],
  rawConfig: "{}",
};

/** Options of a worker that has no certificate: its node id travels as the user agent. */
export function testWorkerOptions(
  nodeId: string,
  managers: readonly string[],
  parts: Pick<WorkerOptions, "dataRoot" | "containers" | "images" | "network">,
): WorkerOptions {
  return {
    nodeId,
    addr: "192.0.2.7",
    dial: grpcDial(() => ChannelCredentials.createInsecure(), {
      "grpc.primary_user_agent": nodeId,
    }),
    managers: managers.map((addr) => ({ nodeId: "", addr })),
    description: () => NodeDescription.fromPartial({ hostname: `${nodeId}-host` }),
    clock: systemClock,
    random: seededRandom(2),
    log: silentLog,
    ...parts,
  };
}

/** A machine with a worker on it, all in memory: the worker may be restarted, the machine's containers live on. */
export class TestHost {
  readonly nodeId: string;
  readonly dataRoot: string;
  readonly containers = new MemoryContainers();
  readonly images = new MemoryImages();
  readonly network = new MemoryDataPlane();
  worker: Worker | undefined;

  static async make(nodeId: string): Promise<TestHost> {
    return new TestHost(nodeId, await mkdtemp(join(tmpdir(), "muster-worker-")));
  }

  private constructor(nodeId: string, dataRoot: string) {
    this.nodeId = nodeId;
    this.dataRoot = dataRoot;
  }

  async start(...managers: readonly string[]): Promise<Worker> {
    this.worker = await Worker.start(testWorkerOptions(this.nodeId, managers, this));
    return this.worker;
  }

  /** Names of running containers' tasks. */
  running(): string[] {
    return this.containers
      .list()
      .filter((one) => one.state === "running")
      .map((one) => one.config.labels["com.docker.swarm.task.id"] ?? "")
      .sort();
  }

  async close(): Promise<void> {
    await this.worker?.close();
    await rm(this.dataRoot, { recursive: true, force: true });
  }
}
