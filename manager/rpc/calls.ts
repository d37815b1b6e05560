import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import { fromRpcError } from "../../proto/rpc-status.ts";

/** A unary method of a generated client, bound to it. */
export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls a method once.
 *
 * @throws {ClusterError} what the server said; `Unavailable` or `DeadlineExceeded` when it could not be asked;
 * `Cancelled` when `signal` aborts.
 */
export async function callUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  { timeoutMs, signal }: CallLimits,
): Promise<Response> {
  if (signal?.aborted) throw new ClusterError("Cancelled", "the call was cancelled");
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + timeoutMs };
    const call = method(request, new Metadata(), options, (error, response) => {
      signal?.removeEventListener("abort", cancel);
      if (error === null) resolve(response);
      else reject(fromRpcError(error));
    });
    const cancel = () => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** The messages of a stream the server sends; leaving the loop cancels it. @throws {ClusterError} what the server said. */
export async function* readStream<Message>(
  stream: ClientReadableStream<Message>,
  signal?: AbortSignal,
): AsyncIterable<Message> {
  const cancel = () => stream.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    for await (const message of stream) yield message as Message;
  } catch (error) {
    if (signal?.aborted) return;
    throw fromRpcError(error);
  } finally {
    signal?.removeEventListener("abort", cancel);
    stream.cancel();
  }
}

/** Closes the connection of a client once its work is done, whatever came of it. */
export async function withClient<C extends { close(): void }, Result>(
  client: C,
  work: (client: C) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
