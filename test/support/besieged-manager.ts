import { type ChannelCredentials, credentials as grpc } from "@grpc/grpc-js";
import { expect } from "chai";
import { systemClock } from "../../core/system-clock.ts";
import {
  anonymousToManager,
  MANAGER_CHANNEL_OPTIONS,
  NodeCredentials,
} from "../../manager/ca/credentials.ts";
import { callUnary, withClient } from "../../manager/rpc/calls.ts";
import { CAClient } from "../../proto/gen/ca.ts";
import { ControlClient } from "../../proto/gen/control.ts";
import { NodeState } from "../../proto/gen/objects.ts";
import { eventually } from "./eventually.ts";
import type { LogLine } from "./log-lines.ts";
import { RpcCaller } from "./rpc-caller.ts";
import { storeDigest } from "./store-digest.ts";
import { TestSwarmNode } from "./test-swarm-node.ts";

const LIMITS = { timeoutMs: 5_000 };

/** How a peer on this host is named in a log. */
export const PEER = /^127\.0\.0\.1:\d+$/;

/** The first manager of a swarm, at rest, and those who mean it no good. */
export class BesiegedManager {
  readonly node: TestSwarmNode;
  /** Its own credentials: what a manager may do. */
  readonly own: NodeCredentials;
  readonly #callers: RpcCaller[] = [];
  #digest: string;
  /** Lines of its log before the test. */
  readonly #earlier: number;

  static async start(): Promise<BesiegedManager> {
    const node = await TestSwarmNode.start(systemClock);
    await node.init();
    await isAddressed(node, node.nodeId);
    await eventually("the node is ready", () => {
      const stored = node.manager.store.view().nodes.get(node.nodeId);
      return stored?.status.state === NodeState.READY && stored.tls !== undefined;
    });
    return new BesiegedManager(node);
  }

  private constructor(node: TestSwarmNode) {
    this.node = node;
    this.own = new NodeCredentials(node.certificate);
    this.#digest = storeDigest(node.manager.store);
    this.#earlier = node.lines.length;
  }

  get addr(): string {
    return this.node.addr;
  }

  get view() {
    return this.node.manager.store.view();
  }

  get rootCa() {
    return this.view.cluster?.rootCa ?? expect.fail("the swarm has no CA");
  }

  /** What it logged since it was at rest. */
  get lines(): readonly LogLine[] {
    return this.node.lines.slice(this.#earlier);
  }

  stranger(): RpcCaller {
    return this.callerWith(anonymousToManager(this.own.certificate.rootPem));
  }

  manager(): RpcCaller {
    return this.callerWith(this.own.toManager());
  }

  /** A caller that shows this certificate, whatever is in it. */
  impostor(certPem: string, keyPem: string): RpcCaller {
    const buffers = [this.own.certificate.rootPem, keyPem, certPem].map((pem) => Buffer.from(pem));
    return this.callerWith(grpc.createSsl(...(buffers as [Buffer, Buffer, Buffer])));
  }

  callerWith(credentials: ChannelCredentials): RpcCaller {
    const caller = new RpcCaller(this.addr, credentials);
    this.#callers.push(caller);
    return caller;
  }

  /** Both strangers and nodes are served. */
  async isServing(): Promise<void> {
    const { own, addr } = this;
    const anyone = anonymousToManager(own.certificate.rootPem);
    await withClient(new CAClient(addr, anyone, MANAGER_CHANNEL_OPTIONS), (ca) =>
      callUnary(ca.getRootCertificate.bind(ca), {}, LIMITS),
    );
    const control = new ControlClient(addr, own.toManager(), MANAGER_CHANNEL_OPTIONS);
    await withClient(control, () => callUnary(control.getCluster.bind(control), {}, LIMITS));
  }

  /** A node that joined has all the managers give it of themselves. */
  isAtRest(nodeId: string): Promise<void> {
    return isAddressed(this.node, nodeId);
  }

  /** The state as it is now is what must not change. */
  remember(): void {
    this.#digest = storeDigest(this.node.manager.store);
  }

  /** Nothing changed, and everybody is served. */
  async isUnharmed(): Promise<void> {
    expect(storeDigest(this.node.manager.store), "the state").to.equal(this.#digest);
    await this.isServing();
  }

  /** Waits for a line of the log. */
  async logged(what: string, matches: (line: LogLine) => boolean): Promise<LogLine> {
    await eventually(`it is logged: ${what}`, () => this.lines.some(matches), 20_000);
    return this.lines.find(matches) ?? expect.fail();
  }

  async stop(): Promise<void> {
    for (const caller of this.#callers) caller.close();
    await this.node.remove();
  }
}

function isAddressed({ manager }: TestSwarmNode, nodeId: string): Promise<void> {
  const attachments = () => manager.store.view().nodes.get(nodeId)?.attachments ?? [];
  return eventually("the node has its address in ingress", () => attachments().length === 1);
}
