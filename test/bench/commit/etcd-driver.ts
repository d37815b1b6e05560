import { type ClientHttp2Session, connect } from "node:http2";
import { connectionsFor, type Driver } from "./driver.ts";

const HEADERS = {
  ":method": "POST",
  ":path": "/etcdserverpb.KV/Put",
  "content-type": "application/grpc",
  te: "trailers",
};

/**
 * Puts to etcd's gRPC API straight over HTTP/2: half the client's cost of the same through a gRPC library, and it is
 * the machine's two cores that everybody shares.
 */
export class EtcdDriver implements Driver {
  readonly #url: string;
  #sessions: readonly ClientHttp2Session[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  async prepare(count: number): Promise<void> {
    this.#sessions = Array.from({ length: connectionsFor(count) }, () => connect(this.#url));
  }

  write(client: number, value: string): Promise<void> {
    const session = this.#sessions[client % this.#sessions.length];
    if (session === undefined) throw new Error("prepare comes first");
    return new Promise((resolve, reject) => {
      const stream = session.request(HEADERS);
      let status: unknown;
      stream.on("response", (headers) => {
        status = headers["grpc-status"];
      });
      stream.on("trailers", (trailers) => {
        status = trailers["grpc-status"];
      });
      stream.on("error", reject);
      stream.on("end", () => {
        if (status === "0") resolve();
        else reject(new Error(`etcd refused a put: gRPC status ${status}`));
      });
      stream.resume();
      stream.end(putFrame(`bench/${client}`, value));
    });
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

/** A gRPC frame of `PutRequest { bytes key = 1; bytes value = 2; }`. */
function putFrame(key: string, value: string): Buffer {
  const fields = Buffer.concat([field(1, key), field(2, value)]);
  const frame = Buffer.alloc(5 + fields.length);
  frame.writeUInt32BE(fields.length, 1);
  fields.copy(frame, 5);
  return frame;
}

function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
}
