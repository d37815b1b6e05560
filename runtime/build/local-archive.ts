import { open } from "node:fs/promises";
import { BLOCK_BYTES, parseTarHeader } from "../../core/tar/tar-header.ts";
import { decompressedFile } from "../image/layer/decompress.ts";
import { findUnpackProgram, unpackByProgram } from "../image/layer/unpack-program.ts";
import type { OpenEntry } from "../linux/open-directory.ts";

const HEAD_BYTES = 6;

/**
 * What is in a file, when it is a tar archive, packed or not. Undefined: it is none.
 *
 * @throws {ClusterError} FailedPrecondition when the program is missing that could unpack it.
 */
export async function archiveIn(entry: OpenEntry): Promise<AsyncIterable<Uint8Array> | undefined> {
  if (!entry.facts.isFile()) return undefined;
  const open = await openerOf(entry.handle);
  return (await isArchive(open())) ? open() : undefined;
}

async function openerOf(path: string): Promise<() => AsyncGenerator<Uint8Array>> {
  const program = findUnpackProgram(await readHead(path));
  if (program === undefined) return () => decompressedFile(path);
  return () => unpackByProgram(program, path);
}

/** By its first header: a file that cannot be unpacked, or is something else, is none. */
async function isArchive(chunks: AsyncGenerator<Uint8Array>): Promise<boolean> {
  const head: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      head.push(chunk);
      bytes += chunk.length;
      if (bytes >= BLOCK_BYTES) break;
    }
    if (bytes < BLOCK_BYTES) return false;
    return parseTarHeader(Buffer.concat(head).subarray(0, BLOCK_BYTES)) !== undefined;
  } catch {
    // Damaged, or no archive at all: then it is copied as it is.
    return false;
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
