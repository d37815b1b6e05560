import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to an answer on its way. */
export type Tampering =
  | { readonly kind: "pass" }
  /** The connection breaks after this many bytes of the body. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** Nothing comes after this many bytes of the body; the connection stays. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** One bit of the body is another. */
  | { readonly kind: "corrupt" }
  | { readonly kind: "status"; readonly status: number };

/** A request that came through. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string;
}

/** Stands before a registry and spoils what the test says. */
export interface TamperingProxy {
  readonly addr: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/** @param decide what to do with the answer to a request; called once for each, in order. */
export async function startTamperingProxy(
  upstream: string,
  decide: (asked: SeenRequest) => Tampering,
): Promise<TamperingProxy> {
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const asked = { method, path, range: headers.range ?? "" };
    seen.push(asked);
    forward(upstream, incoming, outgoing, decide(asked));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    addr: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function forward(
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  tampering: Tampering,
): void {
  const { method, headers } = incoming;
  const forwarded = request(`http://${upstream}${incoming.url}`, { method, headers }, (answer) => {
    outgoing.writeHead(
      tampering.kind === "status" ? tampering.status : (answer.statusCode ?? 502),
      answer.headers,
    );
    let passed = 0;
    answer.on("data", (chunk: Buffer) => {
      passed = pass(outgoing, chunk, passed, tampering);
    });
    answer.on("end", () => {
      if (tampering.kind !== "stall") outgoing.end();
    });
  });
  forwarded.on("error", () => outgoing.destroy());
  incoming.pipe(forwarded);
}

/** @returns how many bytes of the body have passed. */
function pass(
  outgoing: ServerResponse,
  chunk: Buffer,
  passed: number,
  tampering: Tampering,
): number {
  if (tampering.kind === "corrupt" && passed === 0) chunk.writeUInt8((chunk[0] ?? 0) ^ 1);
  if (tampering.kind !== "cut" && tampering.kind !== "stall") {
    outgoing.write(chunk);
    return passed + chunk.length;
  }
  const allowed = chunk.subarray(0, Math.max(0, tampering.afterBytes - passed));
  const last = allowed.length < chunk.length;
  outgoing.write(allowed, () => {
    if (last && tampering.kind === "cut") outgoing.destroy();
  });
  return passed + allowed.length;
}
