import { type ChannelCredentials, Client, type StatusObject } from "@grpc/grpc-js";
import { MANAGER_CHANNEL_OPTIONS } from "../../manager/ca/credentials.ts";

/** What became of a call. */
export interface RawAnswer {
  readonly status: StatusObject;
  readonly messages: readonly Buffer[];
}

const bytes = (buffer: Buffer): Buffer => buffer;

/** Sends what it is told to, as bytes, to any method: on the wire all kinds of methods are one. */
export class RpcCaller {
  readonly #client: Client;

  constructor(addr: string, credentials: ChannelCredentials) {
    this.#client = new Client(addr, credentials, {
      ...MANAGER_CHANNEL_OPTIONS,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_send_message_length": -1,
      "grpc.enable_retries": 0,
    });
  }

  /** @param timeoutMs a stream the server keeps open ends then, with `DEADLINE_EXCEEDED`. */
  call(path: string, requests: readonly Uint8Array[], timeoutMs = 5_000): Promise<RawAnswer> {
    const deadline = Date.now() + timeoutMs;
    const call = this.#client.makeBidiStreamRequest(path, bytes, bytes, { deadline });
    const messages: Buffer[] = [];
    call.on("data", (message: Buffer) => messages.push(message));
    call.on("error", () => undefined);
    const answer = new Promise<RawAnswer>((resolve) => {
      call.on("status", (status: StatusObject) => resolve({ status, messages }));
    });
    for (const request of requests) call.write(Buffer.from(request));
    call.end();
    return answer;
  }

  close(): void {
    this.#client.close();
  }
}
