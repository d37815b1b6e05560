import { ChannelCredentials } from "@grpc/grpc-js";
import { expect } from "chai";
import { systemClock } from "../../core/system-clock.ts";
import { SNAPSHOT_PART_BYTES } from "../../manager/log/replicated-log.ts";
import { GrpcTransport } from "../../manager/log/transport/grpc-transport.ts";
import { raftService } from "../../manager/log/transport/raft-service.ts";
import type { Receiver, SnapshotMessage } from "../../manager/log/transport/transport.ts";
import { listenPlain, type RpcServer } from "../../manager/rpc/server.ts";
import type { Message } from "../../raft-ts/types.ts";
import { eventually } from "../support/eventually.ts";

/** Far more than connections keep under way. */
const PARTS = 64;
const META = { index: 9, term: 2, confState: { voters: [1, 2], votersOutgoing: [], learners: [] } };
const SNAPSHOT: SnapshotMessage = { kind: "snapshot", from: 1, to: 2, term: 2, snapshot: META };

const heartbeat = (commit: number): Message => ({
  ...{ kind: "heartbeat", from: 1, to: 2, term: 2, commit, context: 0, sentAt: 0 },
});

/** A receiver that takes snapshots when it is let, and keeps what it heard. */
class Listener implements Receiver {
  readonly heard: Message[] = [];
  readonly parts: number[] = [];
  go: () => void = () => undefined;
  readonly #mayGoOn = new Promise<void>((resolve) => {
    this.go = resolve;
  });

  onMessage(message: Message): void {
    this.heard.push(message);
  }

  async onSnapshot(...[, source]: Parameters<Receiver["onSnapshot"]>): Promise<void> {
    for await (const part of source.parts()) {
      this.parts.push(part[0] ?? -1);
      await this.#mayGoOn;
    }
  }

  onUnreachable(): void {}
  onHello(): void {}
  onExpelled(): void {}
}

describe("raft transport: gRPC", () => {
  const servers: RpcServer[] = [];
  const transports: GrpcTransport[] = [];

  afterEach(async () => {
    for (const transport of transports.splice(0)) await transport.close();
    for (const server of servers.splice(0)) server.close();
  });

  async function join(raftId: number, receiver: Receiver) {
    let transport: GrpcTransport | undefined;
    const { definition, implementation } = raftService(() => transport);
    const server = await listenPlain("127.0.0.1:0", [{ definition, implementation }]);
    servers.push(server);
    const self = { raftId, nodeId: `node-${raftId}`, addr: `127.0.0.1:${server.port}` };
    const credentialsFor = () => ChannelCredentials.createInsecure();
    transport = new GrpcTransport({ self, credentialsFor, clock: systemClock });
    transports.push(transport);
    transport.start(receiver);
    return { self, transport };
  }

  it("sends a snapshot in parts, as fast as it is taken, and messages go on beside it", async () => {
    const listener = new Listener();
    const [first, second] = [await join(1, new Listener()), await join(2, listener)];
    const members = [first.self, second.self];
    for (const { transport } of [first, second]) transport.setMembers({ members, removed: [] });

    let read = 0;
    const header = { meta: META, members: { members, removed: [] } };
    const sending = first.transport.sendSnapshot(SNAPSHOT, {
      header,
      async *parts() {
        for (; read < PARTS; read++) yield Buffer.alloc(SNAPSHOT_PART_BYTES, read);
      },
    });
    await eventually("the first part is there", () => listener.parts.length === 1);
    for (let commit = 1; commit <= 10; commit++) first.transport.send(heartbeat(commit));
    await eventually("ten heartbeats are", () => listener.heard.length === 10);
    expect(read).to.be.below(PARTS / 2);
    expect(listener.parts).to.have.length(1);

    listener.go();
    await sending;
    expect(listener.parts).to.deep.equal(Array.from({ length: PARTS }, (_, i) => i));
  });
});
