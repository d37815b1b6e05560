import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { systemRandom } from "../../core/system-random.ts";
import { DEFAULT_CONFIG } from "../../daemon/config.ts";
import { chooseLog } from "../../daemon/log-choice.ts";
import { SwarmFiles } from "../../daemon/node/swarm-files.ts";
import { SwarmNode } from "../../daemon/node/swarm-node.ts";
import type { NodeCertificate } from "../../manager/ca/node-certificate.ts";
import { NodeAvailability, NodeDescription } from "../../proto/gen/objects.ts";
import { freePort } from "./free-port.ts";
import { type LogLine, linesTo } from "./log-lines.ts";
import { MemoryContainers } from "./worker/memory-containers.ts";
import { MemoryDataPlane } from "./worker/memory-data-plane.ts";
import { MemoryImages } from "./worker/test-worker.ts";

/**
 * A node with everything the daemon has of the swarm, on a loopback port; its containers and networks are in memory and
 * outlive a restart, as a machine's do.
 */
export class TestSwarmNode {
  readonly dataRoot: string;
  readonly addr: string;
  readonly containers = new MemoryContainers();
  readonly images = new MemoryImages();
  /** What it logged, the newest last. */
  readonly lines: LogLine[] = [];
  readonly #clock: Clock;
  #node: SwarmNode | undefined;

  static async start(clock: Clock): Promise<TestSwarmNode> {
    const dataRoot = await mkdtemp(join(tmpdir(), "muster-node-"));
    const node = new TestSwarmNode(dataRoot, `127.0.0.1:${await freePort()}`, clock);
    await node.restart();
    return node;
  }

  private constructor(dataRoot: string, addr: string, clock: Clock) {
    this.dataRoot = dataRoot;
    this.addr = addr;
    this.#clock = clock;
  }

  get swarm(): SwarmNode {
    if (this.#node === undefined) throw new Error("the node is not running");
    return this.#node;
  }

  /** Its manager part. */
  get manager() {
    return this.swarm.getManager();
  }

  get nodeId(): string {
    return this.swarm.swarmInfo().nodeId;
  }

  /** As it is on the disk. */
  get certificate(): NodeCertificate {
    const own = new SwarmFiles(this.dataRoot).load();
    if (own === undefined) throw new Error("the node is in no swarm");
    return own.certificate;
  }

  async init(): Promise<void> {
    await this.swarm.init({
      ...this.#addresses(),
      availability: NodeAvailability.ACTIVE,
      forceNewCluster: false,
      defaultAddressPools: [],
      subnetSize: 0,
      dataPathPort: 0,
      amendSpec: (spec) => spec,
    });
  }

  async join(through: TestSwarmNode, role: "worker" | "manager"): Promise<void> {
    const { rootCa } = await through.manager.control.getCluster();
    await this.swarm.join({
      ...this.#addresses(),
      availability: NodeAvailability.ACTIVE,
      remoteAddrs: [through.addr],
      joinToken: (role === "worker" ? rootCa?.workerToken : rootCa?.managerToken) ?? "",
    });
  }

  async stop(): Promise<void> {
    await this.#node?.close();
    this.#node = undefined;
  }

  /** Starts it again from its files. */
  async restart(clock = this.#clock): Promise<void> {
    await this.stop();
    this.#node = new SwarmNode({
      dataRoot: this.dataRoot,
      files: new SwarmFiles(this.dataRoot),
      containers: this.containers,
      images: this.images,
      openNetwork: async () => new MemoryDataPlane(),
      describe: () => NodeDescription.fromPartial({ hostname: this.addr }),
      logChoice: chooseLog(DEFAULT_CONFIG),
      whereabouts: { advertiseAddr: "", managers: [] },
      ownAddresses: () => [{ interfaceName: "lo", address: "127.0.0.1" }],
      clock,
      random: systemRandom,
      log: linesTo(this.lines),
      onChanges: () => undefined,
      onFatal: (error) => {
        throw error;
      },
    });
    await this.#node.resume();
  }

  /** Stops it and removes its disk. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.dataRoot, { recursive: true, force: true });
  }

  #addresses() {
    return { listenAddr: this.addr, advertiseAddr: this.addr };
  }
}
