import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { ClusterError } from "../../core/errors.ts";

/**
 * Reads the body of a request that asks for an upgrade. Node does not: what follows the head is the socket's. What follows
 * the body stays there.
 *
 * @throws {ClusterError} InvalidArgument for a body of unknown or too great length, or one that breaks off.
 */
export async function readUpgradeBody(
  socket: Duplex,
  headers: IncomingHttpHeaders,
  bytesMax: number,
): Promise<Buffer> {
  if (headers["transfer-encoding"] !== undefined)
    throw new ClusterError(
      "InvalidArgument",
      "a request for an upgrade must say the length of its body",
    );
  const length = Number(headers["content-length"] ?? 0);
  if (length > bytesMax)
    throw new ClusterError("InvalidArgument", `request body is larger than ${bytesMax} bytes`);
  const chunks: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) {
      const part = chunk.subarray(0, missing);
      chunks.push(part);
      missing -= part.length;
      if (part.length < chunk.length) socket.unshift(chunk.subarray(part.length));
    } else if (socket.readableEnded || socket.destroyed) {
      throw new ClusterError("InvalidArgument", "the request broke off in its body");
    } else
      await Promise.race([once(socket, "readable"), once(socket, "close"), once(socket, "end")]);
  }
  return Buffer.concat(chunks);
}
