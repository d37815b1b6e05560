import { once } from "node:events";
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { InvariantError } from "../../core/assert.ts";
import { rpcError } from "../../proto/rpc-status.ts";

/** Serves a method by a function that answers or throws. */
export function unary<Request, Response>(
  answer: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    answer(call.request, call).then(
      (response) => callback(null, response),
      (error: unknown) => callback(rpcError(stopOnBug(error))),
    );
  };
}

/** Serves a method by a source of messages; a reader slower than the source slows it down, one that leaves ends it. */
export function serverStream<Request, Response>(
  source: (
    request: Request,
    call: ServerWritableStream<Request, Response>,
  ) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    pump(call, source(call.request, call)).then(
      () => call.end(),
      // Not `destroy`: that ends the stream without a status, and the client waits for ever.
      (error: unknown) => void call.emit("error", rpcError(stopOnBug(error))),
    );
  };
}

async function pump<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  messages: AsyncIterable<Response>,
): Promise<void> {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  for await (const message of messages) {
    if (call.cancelled) return;
    if (!call.write(message)) {
      await once(call, "drain", { signal: gone.signal }).catch(ignoreAbort);
    }
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}

/** A bug must stop the process, also when the call's own error handling stands in between. */
function stopOnBug(error: unknown): unknown {
  if (error instanceof InvariantError) {
    queueMicrotask(() => {
      throw error;
    });
  }
  return error;
}
