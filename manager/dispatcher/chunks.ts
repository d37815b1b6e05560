/** Bytes of one message to a worker; what belongs together and is larger comes in several (FAILURES R17). */
export const CHUNK_BYTES_MAX = 256 * 1024;

/** Parts items, in order, into lists of at most `maxBytes` each; an item that is larger is alone. Never an empty list. */
export function chunks<T>(
  items: Iterable<T>,
  sizeOf: (item: T) => number,
  maxBytes: number = CHUNK_BYTES_MAX,
): T[][] {
  const lists: T[][] = [];
  let current: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (current.length > 0 && bytes + size > maxBytes) {
      lists.push(current);
      current = [];
      bytes = 0;
    }
    current.push(item);
    bytes += size;
  }
  if (current.length > 0) lists.push(current);
  return lists;
}
