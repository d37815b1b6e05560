import { ClusterError } from "../../core/errors.ts";

/** Of a Dockerfile; it is held in memory. */
export const DOCKERFILE_BYTES_MAX = 1024 * 1024;
const TAR_MAGIC_AT = 257;
const HEAD_BYTES = 512;
/** gzip, bzip2, xz, zstd. */
const PACKED = ["\x1f\x8b", "BZh", "\xfd7zXZ\0", "\x28\xb5\x2f\xfd"];

/** What comes from standard input: a context that is packed already, or a Dockerfile. */
export type SentInput =
  | { readonly kind: "archive"; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly kind: "dockerfile"; readonly text: Uint8Array };

/** Tells by the first bytes. @throws {ClusterError} InvalidArgument when a Dockerfile is too long. */
export async function readSentInput(input: AsyncIterable<Uint8Array>): Promise<SentInput> {
  const source = input[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < HEAD_BYTES) {
    const { done, value } = await source.next();
    if (done === true) break;
    head.push(value);
    bytes += value.length;
  }
  const chunks = chain(head, source);
  if (isArchive(Buffer.concat(head))) return { kind: "archive", chunks };
  return { kind: "dockerfile", text: await readDockerfile(chunks) };
}

/** All of it. @throws {ClusterError} InvalidArgument when it is too long. */
export async function readDockerfile(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > DOCKERFILE_BYTES_MAX)
      throw new ClusterError(
        "InvalidArgument",
        `the Dockerfile is longer than ${DOCKERFILE_BYTES_MAX} bytes`,
      );
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

/** Whether it begins as an archive does, packed or not. */
export function isArchive(head: Buffer): boolean {
  const text = head.toString("latin1");
  return PACKED.some((magic) => text.startsWith(magic)) || text.startsWith("ustar", TAR_MAGIC_AT);
}

async function* chain(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
