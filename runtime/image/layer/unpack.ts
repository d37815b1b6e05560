import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { ClusterError } from "../../../core/errors.ts";
import { TarReader } from "../../../core/tar/tar-reader.ts";
import { digestOfHex } from "../digest.ts";
import type { Digest } from "../types.ts";
import { decompressedFile } from "./decompress.ts";
import { LayerWriter } from "./layer-writer.ts";

/** Of one layer, unpacked: what a bomb is stopped at. */
export const LAYER_BYTES_MAX = 64 * 1024 ** 3;
/** Overlayfs gives the topmost root directory's mode to the container; Docker's is the same. */
export const ROOT_MODE = 0o755;

/**
 * Unpacks a layer's blob into a new directory, checking the digest of what comes out.
 *
 * Leaves the directory half filled when it fails: the caller made its name up and removes it.
 *
 * @returns the bytes of all its files together.
 * @throws {ClusterError} InvalidArgument (malformed, or would reach out), DataLoss (truncated, other digest),
 *   ResourceExhausted (a limit), Cancelled. Errors of the file system come as `node:fs` throws them.
 */
export async function unpackLayer(
  blobPath: string,
  directory: string,
  expected: Digest,
  signal?: AbortSignal,
): Promise<number> {
  await mkdir(directory, { mode: ROOT_MODE });
  const writer = new LayerWriter(directory);
  const reader = new TarReader(writer);
  const hash = createHash("sha256");
  let unpackedBytes = 0;
  try {
    for await (const chunk of decompressedFile(blobPath)) {
      if (signal?.aborted) throw new ClusterError("Cancelled", "unpacking was cancelled");
      unpackedBytes += chunk.length;
      if (unpackedBytes > LAYER_BYTES_MAX)
        throw new ClusterError(
          "ResourceExhausted",
          `layer is larger than ${LAYER_BYTES_MAX} bytes`,
        );
      hash.update(chunk);
      reader.push(chunk);
      // Streams hand over what they have buffered without a pause: let heartbeats and requests have their turn.
      await eventLoopTurn();
    }
    reader.finish();
    writer.finish();
  } finally {
    writer.close();
  }
  const digest = digestOfHex(hash.digest("hex"));
  if (digest !== expected)
    throw new ClusterError(
      "DataLoss",
      `unpacked layer has digest ${digest}, its image says ${expected}`,
    );
  return writer.contentBytes;
}
