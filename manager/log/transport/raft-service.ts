import type { ServerReadableStream } from "@grpc/grpc-js";
import { ClusterError } from "../../../core/errors.ts";
import {
  type RaftMember,
  type RaftMessage,
  type RaftMessagesEnd,
  type RaftServer,
  RaftService,
  type RaftSnapshotChunk,
  type RaftSnapshotInstalled,
} from "../../../proto/gen/raft.ts";
import { rpcError } from "../../../proto/rpc-status.ts";
import { messageFromProto } from "../raft-proto.ts";
import { headerFromProto } from "../snapshot/snapshot-frame.ts";
import type { GrpcTransport } from "./grpc-transport.ts";
import type { Receiver, SnapshotMessage, SnapshotSource } from "./transport.ts";

/** Anything that knows whose connection it came over. */
type Call = ServerReadableStream<RaftMessage, RaftMessagesEnd>;

/** Whose certificate a call came with; undefined when that is not known. */
export type NodeIdOf = (call: Pick<Call, "getAuthContext">) => string | undefined;

/** The transport calls go to; undefined while this manager's log is not open. */
export type FindTransport = () => GrpcTransport | undefined;

/**
 * What the manager's server serves for the other members; who may call at all is its interceptor's matter.
 *
 * @param nodeIdOf a caller is believed to be the node of its certificate only.
 */
export function raftService(
  findTransport: FindTransport,
  nodeIdOf: NodeIdOf = () => undefined,
): { readonly definition: typeof RaftService; readonly implementation: RaftServer } {
  return {
    definition: RaftService,
    implementation: {
      messages: (call, callback) => {
        receiveMessages(findTransport, call, nodeIdOf).then(
          () => callback(null, {}),
          (error: unknown) => callback(rpcError(error)),
        );
      },
      installSnapshot: (call, callback) => {
        receiveSnapshot(findTransport, call, nodeIdOf).then(
          (installed) => callback(null, installed),
          (error: unknown) => callback(rpcError(error)),
        );
      },
    },
  };
}

/** By events: a stream's async iterator costs more for each message than all that raft makes of it. */
function receiveMessages(
  findTransport: FindTransport,
  call: Call,
  nodeIdOf: NodeIdOf,
): Promise<void> {
  let sender: RaftMember | undefined;
  const receive = (proto: RaftMessage): void => {
    const { transport, receiver } = getOpen(findTransport);
    if (proto.kind?.$case === "hello") {
      sender = checkHello(transport, proto.to, checkNode(proto.kind.value, nodeIdOf(call)));
      transport.onHello(sender);
      return;
    }
    if (sender === undefined || proto.from !== sender.raftId) {
      throw new ClusterError(
        "PermissionDenied",
        `refused a raft message: it names member ${proto.from}, the stream is of ${sender?.raftId ?? "nobody"}`,
      );
    }
    const message = messageFromProto(proto);
    if (message !== undefined) receiver.onMessage(message);
  };
  return new Promise((resolve, reject) => {
    call.on("data", (proto: RaftMessage) => {
      try {
        receive(proto);
      } catch (error) {
        call.pause();
        reject(error);
      }
    });
    call.on("end", resolve);
    call.on("error", reject);
    call.on("cancelled", resolve);
  });
}

function checkHello(transport: GrpcTransport, to: number, hello: RaftMember): RaftMember {
  const refusal = transport.refusal({ ...hello, generation: hello.generation ?? 0, to });
  if (refusal !== undefined) throw refusal;
  return hello;
}

function checkNode(hello: RaftMember, nodeId: string | undefined): RaftMember {
  if (nodeId === undefined || nodeId === hello.nodeId) return hello;
  throw new ClusterError(
    "PermissionDenied",
    `refused a raft stream: it names node ${hello.nodeId}, its certificate ${nodeId}`,
  );
}

async function receiveSnapshot(
  findTransport: FindTransport,
  call: ServerReadableStream<RaftSnapshotChunk, RaftSnapshotInstalled>,
  nodeIdOf: NodeIdOf,
): Promise<RaftSnapshotInstalled> {
  const chunks = (call as AsyncIterable<RaftSnapshotChunk>)[Symbol.asyncIterator]();
  const message = takeMessage((await chunks.next()).value);
  const { transport } = getOpen(findTransport);
  const { from: raftId, to } = message;
  const refusal = transport.refusal({ raftId, nodeId: nodeIdOf(call), to, generation: 0 });
  if (refusal !== undefined) throw refusal;
  const header = (await chunks.next()).value?.kind;
  if (header?.$case !== "header") throw malformed("it has no header");
  const source: SnapshotSource = {
    header: headerFromProto(header.value),
    parts: () => partsOf(chunks),
  };
  await getOpen(findTransport).receiver.onSnapshot(message, source);
  return {};
}

function takeMessage(chunk: RaftSnapshotChunk | undefined): SnapshotMessage {
  if (chunk?.kind?.$case === "message") {
    const message = messageFromProto(chunk.kind.value);
    if (message?.kind === "snapshot") return message;
  }
  throw malformed("it does not start with a message");
}

async function* partsOf(chunks: AsyncIterator<RaftSnapshotChunk>): AsyncGenerator<Uint8Array> {
  for (let parts = 0; ; parts++) {
    const { value } = (await chunks.next()) as { value?: RaftSnapshotChunk };
    if (value?.kind?.$case === "end" && value.kind.value === parts) return;
    if (value?.kind?.$case !== "part") throw malformed(`it is cut after ${parts} parts`);
    yield value.kind.value;
  }
}

function getOpen(find: FindTransport): {
  readonly transport: GrpcTransport;
  readonly receiver: Receiver;
} {
  const transport = find();
  const receiver = transport?.receiver;
  if (transport !== undefined && receiver !== undefined) return { transport, receiver };
  throw new ClusterError("Unavailable", "this manager's raft member is not running");
}

function malformed(why: string): ClusterError {
  return new ClusterError("InvalidArgument", `cannot take the snapshot: ${why}`);
}
