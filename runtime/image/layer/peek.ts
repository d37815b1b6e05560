/** The beginning of a source, and all of it. */
export interface Peeked {
  /** At least as many bytes as asked for, unless there are fewer. */
  readonly head: Uint8Array;
  readonly whole: AsyncGenerator<Uint8Array>;
}

/** Looks at the first bytes of what comes from elsewhere, without losing them. Ends its source only at the end of it. */
export async function peek(source: AsyncIterator<Uint8Array>, bytesMin: number): Promise<Peeked> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < bytesMin) {
    const { done, value } = await source.next();
    if (done === true) break;
    pieces.push(value);
    bytes += value.length;
  }
  return { head: Buffer.concat(pieces), whole: chain(pieces, source) };
}

async function* chain(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
