import { ClusterError } from "../../../core/errors.ts";

/** Passes on what comes, as long as it is no more than `bytesMax`. @throws {ClusterError} ResourceExhausted, naming `what`. */
export async function* atMost(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
  what: string,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw new ClusterError("ResourceExhausted", `${what} is larger than ${bytesMax} bytes`);
    yield chunk;
  }
}
