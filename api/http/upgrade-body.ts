import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { ClusterError } from "../../core/errors.ts";

/**
 * The body of a request that asks for an upgrade, as it comes. Node does not read it: what follows the head is the socket's.
 * What follows the body stays there.
 *
 * @throws {ClusterError} InvalidArgument for a body of unknown length, or one that breaks off.
 */
export async function* upgradeBodyBytes(
  socket: Duplex,
  headers: IncomingHttpHeaders,
): AsyncGenerator<Buffer> {
  let missing = lengthOf(headers);
  while (missing > 0) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) {
      const part = chunk.subarray(0, missing);
      missing -= part.length;
      if (part.length < chunk.length) socket.unshift(chunk.subarray(part.length));
      yield part;
    } else if (socket.readableEnded || socket.destroyed) {
      throw new ClusterError("InvalidArgument", "the request broke off in its body");
    } else await untilMore(socket);
  }
}

async function untilMore(socket: Duplex): Promise<void> {
  const waiting = new AbortController();
  const events = ["readable", "close", "end"].map(async (name) =>
    once(socket, name, { signal: waiting.signal }),
  );
  await Promise.race(events).finally(() => waiting.abort());
}

/** The same, whole. @throws {ClusterError} also for one that is too long. */
export async function readUpgradeBody(
  socket: Duplex,
  headers: IncomingHttpHeaders,
  bytesMax: number,
): Promise<Buffer> {
  if (lengthOf(headers) > bytesMax)
    throw new ClusterError("InvalidArgument", `request body is larger than ${bytesMax} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of upgradeBodyBytes(socket, headers)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function lengthOf(headers: IncomingHttpHeaders): number {
  if (headers["transfer-encoding"] === undefined) return Number(headers["content-length"] ?? 0);
  throw new ClusterError(
    "InvalidArgument",
    "a request for an upgrade must say the length of its body",
  );
}
