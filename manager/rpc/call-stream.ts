import {
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import type { Call, CallAnswer, CallAnswerBatch, CallBatch } from "../../proto/gen/control.ts";
import { fromCallFailure, fromRpcError, rpcError } from "../../proto/rpc-status.ts";
import { TurnBatch } from "./turn-batch.ts";

/** Calls under way on one stream at most, at either end. */
export const STREAM_CALLS_MAX = 4096;

type CallsDuplex = ClientDuplexStream<CallBatch, CallAnswerBatch>;

/** A client whose service has the method `calls`. */
export interface CallsClient extends Client {
  calls(metadata: Metadata): CallsDuplex;
}

type Callback = (error: ServiceError | null, response?: unknown) => void;

interface PendingCall {
  readonly deserialize: (bytes: Buffer) => unknown;
  readonly callback: Callback;
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * The same client, whose unary methods go over one stream instead of a gRPC call each. The stream is opened when first
 * needed and again after a break; calls that were under way at a break fail as gRPC's own would.
 */
export function withCallStream<C extends CallsClient>(client: C, service: ServiceDefinition): C {
  const stream = new CallStream(client);
  const streamed: Record<string, unknown> = Object.create(client);
  for (const [name, method] of Object.entries(service)) {
    if (method.requestStream || method.responseStream) continue;
    streamed[name] = (
      request: unknown,
      _metadata: Metadata,
      options: Partial<CallOptions>,
      callback: Callback,
    ) => stream.call({ name, method, request }, options, callback);
  }
  streamed.close = () => {
    stream.end();
    client.close();
  };
  return streamed as C;
}

interface Asked {
  readonly name: string;
  readonly method: MethodDefinition<unknown, unknown>;
  readonly request: unknown;
}

class CallStream {
  readonly #client: CallsClient;
  readonly #pending = new Map<number, PendingCall>();
  #stream: CallsDuplex | undefined;
  readonly #batch = new TurnBatch<Call>((calls) => this.#stream?.write({ calls }), requestBytes);
  #lastId = 0;

  constructor(client: CallsClient) {
    this.#client = client;
  }

  call(asked: Asked, { deadline }: Partial<CallOptions>, callback: Callback): ClientUnaryCall {
    const id = ++this.#lastId;
    const cancel = (): void => this.#fail(id, new ClusterError("Cancelled", "call was cancelled"));
    const handle = { cancel } as ClientUnaryCall;
    if (this.#pending.size >= STREAM_CALLS_MAX) {
      callback(rpcError(new ClusterError("ResourceExhausted", "too many calls wait for answers")));
      return handle;
    }
    const { name, method, request } = asked;
    const timer = deadline === undefined ? undefined : this.#limit(id, Number(deadline));
    this.#pending.set(id, { deserialize: method.responseDeserialize, callback, timer });
    this.#stream ??= this.#open();
    this.#batch.add({ id, method: name, request: method.requestSerialize(request) });
    return handle;
  }

  /** No more calls; those under way get their answers. */
  end(): void {
    this.#batch.flush();
    this.#stream?.end();
  }

  #open(): CallsDuplex {
    const stream = this.#client.calls(new Metadata());
    stream.on("data", ({ answers }: CallAnswerBatch) => {
      for (const answer of answers) this.#onAnswer(answer);
    });
    stream.on("error", (error: ServiceError) => this.#onEnd(stream, fromRpcError(error)));
    stream.on("end", () => this.#onEnd(stream, unanswered("the stream of calls has ended")));
    return stream;
  }

  #limit(id: number, deadlineMs: number): NodeJS.Timeout {
    const late = unanswered("no answer came in time", "DeadlineExceeded");
    return setTimeout(() => this.#fail(id, late), Math.max(0, deadlineMs - Date.now()));
  }

  #onAnswer({ id, outcome }: CallAnswer): void {
    const call = this.#take(id);
    if (call === undefined) return;
    switch (outcome?.$case) {
      case "response":
        call.callback(null, call.deserialize(outcome.value));
        return;
      case "failure":
        call.callback(rpcError(fromCallFailure(outcome.value)));
        return;
      case undefined:
        call.callback(rpcError(new ClusterError("Internal", `call ${id} has an empty answer`)));
    }
  }

  #onEnd(stream: CallsDuplex, reason: ClusterError): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#batch.clear();
    const isBroken = reason.details.unanswered === true;
    const error = isBroken ? unanswered(`the stream of calls broke: ${reason.message}`) : reason;
    for (const id of [...this.#pending.keys()]) this.#fail(id, error);
  }

  #fail(id: number, error: ClusterError): void {
    // An error of ours: fromRpcError, at the other end of the callback, gives it on as it is.
    this.#take(id)?.callback(error as unknown as ServiceError);
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    clearTimeout(call?.timer);
    this.#pending.delete(id);
    return call;
  }
}

function requestBytes({ request }: Call): number {
  return request.length;
}

function unanswered(message: string, code: "Unavailable" | "DeadlineExceeded" = "Unavailable") {
  return new ClusterError(code, message, { details: { unanswered: true } });
}
