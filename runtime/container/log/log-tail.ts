import { open } from "node:fs/promises";
import { findK8sLine } from "./k8s-log.ts";

/** A place in a log: which file, by how often it was put aside, and the byte in it. */
export interface LogPosition {
  readonly age: number;
  readonly offset: number;
}

const BLOCK_BYTES = 65_536;
const NEWLINE = 0x0a;

/**
 * Where the last `tail` lines of the wanted streams begin, found by reading backwards. What a stream ends with is a line of
 * its own, with an end of line or without.
 *
 * @param paths newest first.
 * @returns undefined when there is no file; the very beginning when there are fewer lines.
 */
export async function findTailStart(
  paths: readonly string[],
  query: { readonly tail: number; readonly stdout: boolean; readonly stderr: boolean },
): Promise<LogPosition | undefined> {
  // One line more than wanted ends just before the first wanted one.
  let left = query.tail + 1;
  const begun = new Set<boolean>();
  for (const [age, path] of paths.entries())
    for await (const line of linesBackwards(path)) {
      const parsed = findK8sLine(line.bytes);
      if (parsed === undefined) continue;
      if (!(parsed.stderr ? query.stderr : query.stdout)) continue;
      if (parsed.partial && begun.has(parsed.stderr)) continue;
      begun.add(parsed.stderr);
      left -= 1;
      if (left === 0) return { age, offset: line.endOffset };
    }
  return paths.length === 0 ? undefined : { age: paths.length - 1, offset: 0 };
}

/** Complete lines of a file, last first, without newline; `endOffset` is where the next one begins. */
async function* linesBackwards(
  path: string,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly endOffset: number }> {
  const file = await open(path, "r");
  try {
    let position = (await file.stat()).size;
    /** From `position` to the last newline seen, which is left out. */
    let pending = Buffer.alloc(0);
    let pendingEnd: number | undefined;
    while (position > 0) {
      const length = Math.min(BLOCK_BYTES, position);
      position -= length;
      const block = Buffer.alloc(length);
      await file.read(block, 0, length, position);
      let text = Buffer.concat([block, pending]);
      for (let at = text.lastIndexOf(NEWLINE); at !== -1; at = text.lastIndexOf(NEWLINE)) {
        if (pendingEnd !== undefined) yield { bytes: text.subarray(at + 1), endOffset: pendingEnd };
        pendingEnd = position + at + 1;
        text = text.subarray(0, at);
      }
      // A line is at most a few KiB; a block without newline is no log of ours and is not piled up.
      pending = text.subarray(0, BLOCK_BYTES);
    }
    if (pendingEnd !== undefined && pending.length > 0)
      yield { bytes: pending, endOffset: pendingEnd };
  } finally {
    await file.close();
  }
}
