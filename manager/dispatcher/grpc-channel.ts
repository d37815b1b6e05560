import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { ClusterError } from "../../core/errors.ts";
import type { ManagerMessage, WorkerMessage } from "../../proto/gen/dispatcher.ts";
import { rpcError } from "../../proto/rpc-status.ts";
import type { Said, SessionChannel } from "./node-session.ts";

export type SessionCall = ServerDuplexStream<WorkerMessage, ManagerMessage>;

/** A session's wire over gRPC. */
export class GrpcChannel implements SessionChannel {
  readonly nodeId: string;
  readonly peerAddr: string;
  readonly #call: SessionCall;
  #congested = false;
  #ended = false;

  constructor(call: SessionCall, peer: { readonly nodeId: string }, onDrain: () => void) {
    this.nodeId = peer.nodeId;
    this.peerAddr = hostOf(call.getPeer());
    this.#call = call;
    call.on("drain", () => {
      this.#congested = false;
      onDrain();
    });
  }

  get congested(): boolean {
    return this.#congested;
  }

  send(message: Said): void {
    if (this.#ended) return;
    if (!this.#call.write({ kind: message })) this.#congested = true;
  }

  end(reason: ClusterError): void {
    if (this.#ended) return;
    this.#ended = true;
    // As gRPC wants it: `destroy` would drop the status with the stream.
    this.#call.emit("error", rpcError(reason));
  }
}

/** The host of `host:port` or `[host]:port`, as gRPC names peers. */
export function hostOf(peer: string): string {
  const host = peer.slice(0, Math.max(peer.lastIndexOf(":"), 0));
  return host.startsWith("[") ? host.slice(1, -1) : host;
}
