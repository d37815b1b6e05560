import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { peek } from "../../image/layer/peek.ts";
import type { ProgressEvent } from "../../image/types.ts";
import type { BuildFolder } from "../build-folder.ts";
import { receiveContext } from "../context.ts";
import { DOCKERFILE_BYTES_MAX } from "../dockerfile/lines.ts";
import { contextKindOf } from "./content-kind.ts";
import { counted } from "./download.ts";
import { cloneContext } from "./git-context.ts";
import { type OpenUrl, withUrl } from "./open-url.ts";
import { parseRemote } from "./remote-url.ts";
import { runGit } from "./run-git.ts";

/** As many bytes as tell what a file is. */
const PREAMBLE_BYTES = 100;

/**
 * Brings a context from elsewhere: an archive, a git repository, or the text of a Dockerfile, which is all there is then.
 *
 * @param text a URL, as `remote` of the API.
 * @returns the text of a Dockerfile; undefined: it is in the context.
 * @throws {ClusterError} InvalidArgument; as `withUrl`, `cloneContext`, `receiveContext`. Docker's words.
 */
export async function fetchContext(
  text: string,
  folder: BuildFolder,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (event: ProgressEvent) => void;
  },
): Promise<string | undefined> {
  const remote = parseRemote(text);
  if (remote.kind === "git") {
    const places = { context: folder.context, work: folder.newPlace() };
    await cloneContext(remote, places, runGit, options.signal);
    return undefined;
  }
  return withUrl(remote.url, options.signal, (opened) =>
    readContext(opened, remote.url, folder, options),
  ).catch((error: unknown) => {
    if (!(error instanceof ClusterError) || !isOfServer(error)) throw error;
    const message = `error downloading remote context ${remote.url}: ${errorMessage(error)}`;
    throw new ClusterError(error.code, message, { cause: error });
  });
}

async function readContext(
  opened: OpenUrl,
  url: string,
  folder: BuildFolder,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (event: ProgressEvent) => void;
  },
): Promise<string | undefined> {
  const what = { id: "Downloading context", status: url };
  const chunks = counted(opened, url, what, options);
  const { head, whole } = await peek(chunks[Symbol.asyncIterator](), PREAMBLE_BYTES);
  const kind = contextKindOf(opened.header("content-type"), head.subarray(0, PREAMBLE_BYTES));
  if (kind === undefined) {
    const why =
      head.length === 0
        ? "empty response"
        : `unsupported Content-Type ${JSON.stringify(opened.header("content-type"))}`;
    throw new ClusterError(
      "InvalidArgument",
      `error detecting content type for remote ${url}: ${why}`,
    );
  }
  if (kind === "text") return readText(whole, url);
  await receiveContext(whole, folder.context, options.signal);
  return undefined;
}

async function readText(chunks: AsyncIterable<Uint8Array>, url: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes > DOCKERFILE_BYTES_MAX)
      throw new ClusterError(
        "InvalidArgument",
        `the Dockerfile at ${url} is longer than ${DOCKERFILE_BYTES_MAX} bytes`,
      );
  }
  return Buffer.concat(parts).toString("utf8");
}

/** It has not given what was asked for. */
function isOfServer({ code }: ClusterError): boolean {
  return code === "NotFound" || code === "PermissionDenied" || code === "Unavailable";
}
