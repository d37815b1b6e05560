import { mkdir, open, utimes } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError } from "../../../core/errors.ts";
import type { ProgressEvent } from "../../image/types.ts";
import { systemError } from "../../linux/libc.ts";
import { type OpenUrl, withUrl } from "./open-url.ts";
import { fileNameOf } from "./remote-url.ts";

/** Of one URL. */
export const DOWNLOAD_BYTES_MAX = 64 * 1024 ** 3;
const FILE_MODE = 0o600;
/** Progress is told that often, in bytes. */
const STEP_BYTES = 1024 * 1024;
const NAME_BYTES_MAX = 255;
/** The file's name on disk when nobody knows one. */
const UNNAMED = "__unnamed__";

/** A file from elsewhere, alone in a folder of its own. */
export interface Downloaded {
  /** Undefined: it has none. */
  readonly name: string | undefined;
  /** On disk. */
  readonly fileName: string;
}

/**
 * Brings what is at a URL into a new folder, as its owner's alone and with the time the server says; without one of no time.
 *
 * @throws {ClusterError} as `withUrl`; ResourceExhausted (too large, disk).
 */
export async function download(
  url: string,
  folder: string,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (event: ProgressEvent) => void;
  },
): Promise<Downloaded> {
  return withUrl(url, options.signal, async (opened) => {
    const name = fileNameOf(new URL(url), opened.header("content-disposition"));
    if (name !== undefined && Buffer.byteLength(name) > NAME_BYTES_MAX)
      throw new ClusterError("InvalidArgument", `the name of ${url} is too long for a file`);
    const fileName = name ?? UNNAMED;
    await mkdir(folder);
    const path = join(folder, fileName);
    try {
      await writeTo(path, counted(opened, url, { id: "", status: "Downloading" }, options));
      const modified = timeOf(opened.header("last-modified"));
      await utimes(path, modified, modified);
    } catch (error) {
      throw systemError(error, `write ${path}`);
    }
    return { name, fileName };
  });
}

/**
 * The content as it comes, and tells of it.
 *
 * @throws {ClusterError} as `OpenUrl`; ResourceExhausted.
 */
export async function* counted(
  { chunks, sizeBytes }: Pick<OpenUrl, "chunks" | "sizeBytes">,
  url: string,
  what: Pick<ProgressEvent, "id" | "status">,
  { onProgress }: { readonly onProgress: (event: ProgressEvent) => void },
): AsyncGenerator<Uint8Array> {
  const totalBytes = sizeBytes ?? 0;
  let currentBytes = 0;
  let told = 0;
  const tell = () => onProgress({ ...what, currentBytes, totalBytes });
  for await (const chunk of chunks) {
    currentBytes += chunk.length;
    if (currentBytes > DOWNLOAD_BYTES_MAX)
      throw new ClusterError(
        "ResourceExhausted",
        `${url} is larger than ${DOWNLOAD_BYTES_MAX} bytes`,
      );
    if (currentBytes - told >= STEP_BYTES) {
      told = currentBytes;
      tell();
    }
    yield chunk;
  }
  if (told < currentBytes) tell();
}

async function writeTo(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "wx", FILE_MODE);
  try {
    for await (const chunk of chunks)
      for (let written = 0; written < chunk.length; )
        written += (await file.write(chunk, written)).bytesWritten;
  } finally {
    await file.close();
  }
}

function timeOf(header: string): Date {
  const time = Date.parse(header);
  return new Date(Number.isNaN(time) ? 0 : time);
}
