import { type FileHandle, open, readFile, rename, stat, writeFile } from "node:fs/promises";
import { fileIdOf, findLogFiles, isAbsent } from "./log-set.ts";

/** How far conmon's log is in the JSON one. */
export interface Position {
  /** Id of conmon's file that is being read, and the byte in it that is next. */
  readonly source: string;
  readonly offset: number;
  /** Lines from there on that have been written already. */
  readonly skip: number;
  /** Id and bytes of the JSON file, when this was written down. */
  readonly target: string;
  readonly written: number;
}

const BEGINNING: Position = { source: "", offset: 0, skip: 0, target: "", written: 0 };
const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;

/** As it was written down last, with what was written to the JSON log after that. */
export async function loadPosition(
  path: string,
  target: string,
  filesMax: number,
): Promise<Position> {
  const saved = await readSaved(path);
  const files = await findLogFiles(target, filesMax);
  const begun = files.findIndex(({ id }) => id === saved.target);
  const later = files.slice(0, begun + 1);
  // Of one that was never written down the newest is all there can be.
  if (begun === -1 && saved.target === "") later.push(...files.slice(0, 1));
  let skip = saved.skip;
  for (const file of later)
    skip += await countLines(file.path, file.id === saved.target ? saved.written : 0);
  return { ...saved, skip };
}

/** @returns the same with where the JSON log is now. */
export async function savePosition(
  path: string,
  position: Position,
  target: string,
): Promise<Position> {
  const stats = await stat(target);
  const saved = { ...position, target: fileIdOf(stats), written: stats.size };
  await writeFile(`${path}.new`, JSON.stringify(saved));
  await rename(`${path}.new`, path);
  return saved;
}

async function readSaved(path: string): Promise<Position> {
  try {
    return { ...BEGINNING, ...(JSON.parse(await readFile(path, "utf8")) as Position) };
  } catch (error) {
    // Torn by a power cut: then it begins anew, and lines may come twice.
    if (isAbsent(error) || error instanceof SyntaxError) return BEGINNING;
    throw error;
  }
}

/** Lines after `offset`; the piece of one that a kill left at the end is cut off. */
async function countLines(path: string, offset: number): Promise<number> {
  const file = await open(path, "r+");
  try {
    return await countIn(file, offset);
  } finally {
    await file.close();
  }
}

async function countIn(file: FileHandle, offset: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let lines = 0;
  let at = offset;
  let end = offset;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    for (let next = chunk.indexOf(NEWLINE); next !== -1 && next < bytesRead; ) {
      lines++;
      end = at + next + 1;
      next = chunk.indexOf(NEWLINE, next + 1);
    }
    at += bytesRead;
  }
  if (at > end) await file.truncate(end);
  return lines;
}
