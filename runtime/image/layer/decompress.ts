import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Decompress } from "fzstd";
import { ClusterError } from "../../../core/errors.ts";
import { peek } from "./peek.ts";
import { findUnpackProgram, unpackStreamByProgram } from "./unpack-program.ts";

const READ_BYTES = 128 * 1024;
const MAGIC_BYTES = 6;

/** How a blob is packed. */
export type Compression = "none" | "gzip" | "zstd";

/** Tells by the first bytes; what a manifest says of a layer is not always so. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return "zstd";
  return "none";
}

/** The same for a file. */
export async function fileCompression(path: string): Promise<Compression> {
  const file = await open(path);
  try {
    const head = new Uint8Array(MAGIC_BYTES);
    const { bytesRead } = await file.read(head, 0, MAGIC_BYTES, 0);
    return compressionOf(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/**
 * The unpacked content of a file, piece by piece.
 *
 * @throws {ClusterError} DataLoss when it is damaged or ends too early.
 */
export async function* decompressedFile(path: string): AsyncGenerator<Uint8Array> {
  const compression = await fileCompression(path);
  const packed = createReadStream(path, { highWaterMark: READ_BYTES });
  if (compression === "none") yield* packed;
  else if (compression === "zstd") yield* unzstd(packed);
  else yield* gunzip(packed);
}

/**
 * The same for what comes from elsewhere, also by programs of the machine: what people hand in is packed in more ways than
 * layers are. Ends its source only when it has come to the end of it.
 *
 * @throws {ClusterError} as `decompressedFile`; FailedPrecondition when the program is missing that could unpack it.
 */
export async function* decompressed(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, whole } = await peek(source, MAGIC_BYTES);
  const program = findUnpackProgram(head);
  const compression = compressionOf(head);
  if (program !== undefined) yield* unpackStreamByProgram(program, whole);
  else if (compression === "none") yield* whole;
  else if (compression === "zstd") yield* unzstd(whole);
  else yield* gunzip(Readable.from(whole, { objectMode: false }));
}

/** The content as layers may be packed: what a program would have to unpack is unpacked, the rest stays as it is. */
export async function* asLayer(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, whole } = await peek(source, MAGIC_BYTES);
  const program = findUnpackProgram(head);
  if (program === undefined) yield* whole;
  else yield* unpackStreamByProgram(program, whole);
}

async function* gunzip(packed: Readable): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip({ chunkSize: READ_BYTES });
  packed.on("error", (error) => unpacked.destroy(error));
  packed.pipe(unpacked);
  try {
    yield* unpacked;
  } catch (cause) {
    throw damaged("gzip", cause);
  } finally {
    packed.destroy();
    unpacked.destroy();
  }
}

async function* unzstd(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const decoder = new Decompress((piece) => pieces.push(piece));
  for await (const chunk of packed) {
    pushZstd(decoder, chunk, false);
    yield* pieces.splice(0);
  }
  pushZstd(decoder, new Uint8Array(0), true);
  yield* pieces.splice(0);
}

function pushZstd(decoder: Decompress, chunk: Uint8Array, final: boolean): void {
  try {
    decoder.push(chunk, final);
  } catch (cause) {
    throw damaged("zstd", cause);
  }
}

function damaged(format: string, cause: unknown): ClusterError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ClusterError("DataLoss", `damaged or truncated ${format} data: ${reason}`, { cause });
}
