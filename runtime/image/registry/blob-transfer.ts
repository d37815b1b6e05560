import { Readable } from "node:stream";
import { ClusterError } from "../../../core/errors.ts";
import type { BlobWriter, ContentStore } from "../store/content-store.ts";
import type { Descriptor } from "../types.ts";
import { connectionError } from "./connection-error.ts";
import type { HttpResponse } from "./http.ts";
import type { Repository } from "./repository.ts";
import { withRetries } from "./retry.ts";

/** Told how many bytes of a blob have passed. */
export type OnBytes = (totalBytes: number) => void;

/**
 * Fetches a blob into the store. A connection that breaks is resumed where it broke, as often as `withRetries` allows.
 *
 * @throws {ClusterError} as `Repository.send`; DataLoss for other content than the descriptor's, which is then removed.
 */
export async function downloadBlob(
  repository: Repository,
  blob: Descriptor,
  content: ContentStore,
  onBytes: OnBytes,
): Promise<void> {
  const writer = await content.startBlob();
  try {
    await withRetries(() => downloadRest(repository, blob, writer, onBytes), repository.signal);
    await writer.commit(blob.digest);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "DataLoss") throw error;
    throw new ClusterError(
      "DataLoss",
      `cannot pull ${repository.subject.reference}: ${repository.host} sent a damaged layer: ${error.message}`,
      { cause: error },
    );
  } finally {
    await writer.close();
  }
}

/** How a blob came to be in a repository. */
export interface Uploaded {
  readonly how: "sent" | "found" | "mounted";
  /** The repository it was mounted from. */
  readonly from: string;
}

/**
 * Sends a blob of the store, unless the registry has it.
 *
 * @param mountable other repositories of the registry that have it: the registry is asked to take it from there.
 * @throws {ClusterError} as `Repository.send`.
 */
export async function uploadBlob(
  repository: Repository,
  blob: Descriptor,
  content: ContentStore,
  { onBytes, mountable }: { readonly onBytes: OnBytes; readonly mountable: readonly string[] },
): Promise<Uploaded> {
  return withRetries(async () => {
    const target = `blobs/${blob.digest}`;
    const found = await repository.send({ method: "HEAD", target, headers: {} }, [200, 404]);
    await found.body.dump();
    if (found.status === 200) return { how: "found", from: "" };
    for (const from of mountable)
      if (await mountBlob(repository, blob, from)) return { how: "mounted", from };
    const location = await startUpload(repository);
    location.searchParams.set("digest", blob.digest);
    const body = Readable.from(counted(content.stream(blob.digest), onBytes));
    const headers = {
      "content-type": "application/octet-stream",
      "content-length": String(blob.sizeBytes),
    };
    const done = await repository.send({ method: "PUT", target: location, headers, body }, [201]);
    await done.body.dump();
    return { how: "sent", from: "" };
  }, repository.signal);
}

/** @returns whether it is there now. Who may not read the other repository sends the blob. Source: OCI distribution-spec, "Mounting a blob". */
async function mountBlob(
  repository: Repository,
  { digest }: Descriptor,
  from: string,
): Promise<boolean> {
  const target = `blobs/uploads/?${new URLSearchParams({ mount: digest, from }).toString()}`;
  const asked = { method: "POST", target, headers: { "content-length": "0" } } as const;
  const response = await repository.send(asked, [201, 202, 401, 403, 404]);
  await response.body.dump();
  return response.status === 201;
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: OnBytes,
): AsyncGenerator<Uint8Array> {
  let passedBytes = 0;
  for await (const chunk of source) {
    passedBytes += chunk.length;
    onBytes(passedBytes);
    yield chunk;
  }
}

async function startUpload(repository: Repository): Promise<URL> {
  const asked = {
    method: "POST",
    target: "blobs/uploads/",
    headers: { "content-length": "0" },
  } as const;
  const response = await repository.send(asked, [202]);
  await response.body.dump();
  const location = response.header("location");
  if (!URL.canParse(location, repository.baseUrl))
    throw new ClusterError(
      "FailedPrecondition",
      `registry ${repository.host} names no place to upload to`,
    );
  return new URL(location, repository.baseUrl);
}

async function downloadRest(
  repository: Repository,
  blob: Descriptor,
  writer: BlobWriter,
  onBytes: OnBytes,
): Promise<void> {
  const from = writer.sizeBytes;
  if (from === blob.sizeBytes && from > 0) return;
  const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
  const asked = { method: "GET", target: `blobs/${blob.digest}`, headers } as const;
  const response = await repository.send(asked, [200, 206]);
  if (from > 0 && !continuesAt(response, from)) await writer.restart();
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      if (writer.sizeBytes + chunk.length > blob.sizeBytes)
        throw new ClusterError(
          "DataLoss",
          `${blob.digest} is longer than its ${blob.sizeBytes} bytes`,
        );
      await writer.write(chunk);
      onBytes(writer.sizeBytes);
    }
  } catch (error) {
    const { host, signal } = repository;
    throw connectionError(error, { what: `reading ${blob.digest} from ${host}`, host, signal });
  }
  if (writer.sizeBytes < blob.sizeBytes)
    throw new ClusterError(
      "Unavailable",
      `registry ${repository.host} sent ${writer.sizeBytes} of ${blob.sizeBytes} bytes of ${blob.digest}`,
    );
}

/** Some servers ignore Range and send everything. */
function continuesAt(response: HttpResponse, from: number): boolean {
  return response.status === 206 && response.header("content-range").startsWith(`bytes ${from}-`);
}
