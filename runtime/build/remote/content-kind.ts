/** What a context that is fetched may be. */
export type ContextKind = "text" | "archive";

const OCTETS = "application/octet-stream";
const ARCHIVE = /application\/(?:(?:x-)?tar|octet-stream|(?:x-)?(?:gzip|bzip2?|xz|zstd))/;

/**
 * What comes, by what its server calls it; when that says nothing, by how it begins.
 *
 * @returns undefined: neither, or nothing at all.
 * Source: moby, builder/remotecontext/remote.go and mimetype.go.
 */
export function contextKindOf(contentType: string, head: Uint8Array): ContextKind | undefined {
  if (head.length === 0) return undefined;
  const saysNothing = contentType === "" || contentType === OCTETS;
  if (saysNothing) return isText(head) ? "text" : "archive";
  if (ARCHIVE.test(contentType)) return "archive";
  return contentType.includes("text/plain") ? "text" : undefined;
}

/** No bytes that a text has no use for. Source: WHATWG, MIME Sniffing, "binary data byte". */
function isText(head: Uint8Array): boolean {
  return !head.some(
    (byte) =>
      byte <= 0x08 ||
      byte === 0x0b ||
      (byte >= 0x0e && byte <= 0x1a) ||
      (byte >= 0x1c && byte <= 0x1f),
  );
}
