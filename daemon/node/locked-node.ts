import { X509Certificate } from "node:crypto";
import { findIdentity } from "../../manager/ca/identity.ts";
import type { DataPlane } from "../../worker/network/data-plane.ts";
import { Worker } from "../../worker/worker.ts";
import { parseHostPort } from "./addresses.ts";
import type { MemberParts } from "./member.ts";
import { swarmLocked } from "./refusals.ts";

/**
 * A manager after a restart, until somebody gives the unlock key: it takes part in nothing. Containers run on as they
 * are, and the data plane serves them by what it last knew.
 */
export class LockedNode {
  readonly #parts: MemberParts;
  readonly #network: DataPlane;

  private constructor(parts: MemberParts, network: DataPlane) {
    this.#parts = parts;
    this.#network = network;
  }

  static async start(parts: MemberParts): Promise<LockedNode> {
    return new LockedNode(parts, await parts.openNetwork());
  }

  /** For the member it becomes: the data plane goes on without a break. */
  get network(): DataPlane {
    return this.#network;
  }

  async close(): Promise<void> {
    await this.#network.close();
  }

  /** Stops its tasks and forgets the swarm, whose managers cannot be told. */
  async leave(): Promise<void> {
    const { dataRoot, containers, images, describe, clock, random, log, files } = this.#parts;
    const certPem = files.loadCertPem();
    const subject = certPem && new X509Certificate(certPem).toLegacyObject().subject;
    const state = files.loadState();
    const worker = await Worker.start({
      nodeId: subject ? (findIdentity(subject)?.nodeId ?? "") : "",
      dataRoot,
      addr: state === undefined ? "" : parseHostPort(state.advertiseAddr, "advertise address").host,
      dial: () => {
        throw swarmLocked();
      },
      managers: [],
      description: describe,
      containers,
      images,
      network: this.#network,
      clock,
      random,
      log: log.child({ component: "worker" }),
    });
    try {
      await worker.leave();
    } finally {
      files.removeAll();
    }
  }
}
