import type { FetchedArchive } from "../../api/backends/images.ts";
import { ClusterError } from "../../core/errors.ts";
import { withUrl } from "../../runtime/build/remote/open-url.ts";
import { isUrl } from "../../runtime/build/remote/remote-url.ts";

/**
 * Fetches a file for an import, as builds do for ADD, and reads it with `work`. Who may talk to the daemon may send it anywhere, as
 * with Docker's.
 *
 * @param text a URL; without a scheme it is `http://`.
 * @throws {ClusterError} InvalidArgument; as `withUrl`.
 * Source: moby, api/server/router/image/image_routes.go, postImagesCreate.
 */
export async function fetchArchive(
  text: string,
  signal: AbortSignal,
  work: (archive: FetchedArchive) => Promise<void>,
): Promise<void> {
  const url = text.includes("://") ? text : `http://${text}`;
  if (!isUrl(url) || !URL.canParse(url))
    throw new ClusterError(
      "InvalidArgument",
      `cannot import from ${text}: give a http or https URL`,
    );
  await withUrl(url, signal, ({ sizeBytes = 0, chunks }) =>
    work({ url, sizeBytes, bytes: chunks }),
  );
}
