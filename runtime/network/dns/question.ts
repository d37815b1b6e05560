/** Where a query's question is in its bytes. Pure. Source: RFC 1035 §4.1. */

export const HEADER_BYTES = 12;
const TYPE_AND_CLASS_BYTES = 4;

/** The end of the first question: names in queries are not compressed. Never past the end of the query. */
export function questionEnd(query: Uint8Array): number {
  let at = HEADER_BYTES;
  while (at < query.length && query[at] !== 0) at += 1 + (query[at] ?? 0);
  return Math.min(query.length, at + 1 + TYPE_AND_CLASS_BYTES);
}
