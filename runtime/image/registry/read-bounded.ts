import { ClusterError } from "../../../core/errors.ts";
import { connectionError } from "./connection-error.ts";
import type { HttpResponse } from "./http.ts";
import type { Repository } from "./repository.ts";

/** The whole answer. @throws {ClusterError} ResourceExhausted above `bytesMax`; Unavailable, Cancelled. */
export async function readBounded(
  response: HttpResponse,
  repository: Repository,
  bytesMax: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > bytesMax)
        throw new ClusterError(
          "ResourceExhausted",
          `answer for ${repository.subject.reference} is larger than ${bytesMax} bytes`,
        );
    }
  } catch (error) {
    const { host, signal } = repository;
    throw connectionError(error, { what: `reading from ${host}`, host, signal });
  }
  return Buffer.concat(chunks);
}
