import { closeSync, openSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { toJsonLines, withoutLines } from "./json-lines.ts";
import { loadPosition, type Position, savePosition } from "./json-position.ts";
import type { LogLimits } from "./log-files.ts";
import { type FoundFile, fileIdOf, findLogFiles, putAside } from "./log-set.ts";

/** What is read at once; longer than any line. */
const CHUNK_BYTES = 256 * 1024;
/** What one pass converts before others have their turn. */
const PASS_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
const MODE = 0o640;

export interface JsonLogOptions {
  /** conmon's file. */
  readonly source: string;
  /** Docker's: `ID-json.log`. */
  readonly target: string;
  /** Where it is written down how far the one is in the other. */
  readonly position: string;
  readonly limits: LogLimits;
  readonly attributes: ReadonlyMap<string, string>;
}

/**
 * A container's log as Docker's json-file driver writes it, for the tools that read files: it follows conmon's, which is
 * the log that we read ourselves.
 *
 * Each line is written once, also through kill -9 between any two steps: the position on disk says which line of conmon's is
 * next, and lines that were written after it was are counted and passed over. Lines are lost only where conmon's files are put
 * aside more often than there are files before this comes round.
 */
export class JsonLog {
  readonly #options: JsonLogOptions;
  #position: Position | undefined;
  #last: Promise<boolean> = Promise.resolve(false);
  #isComplete = false;
  #isClosed = false;

  constructor(options: JsonLogOptions) {
    this.#options = options;
  }

  /** A run begins: there is a file from now on. */
  begin(): void {
    this.#isComplete = false;
    createFile(this.#options.target);
  }

  /** Whether it had everything when it was looked at last. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Writes what conmon has written meanwhile. @returns whether that was all. */
  async catchUp(): Promise<boolean> {
    const pass = this.#last.catch(() => false).then(() => this.#isClosed || this.#pass());
    this.#last = pass;
    this.#isComplete = await pass;
    return this.#isComplete;
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last.catch(() => false);
  }

  async #pass(): Promise<boolean> {
    const { source, target, position, limits } = this.#options;
    const files = await findLogFiles(source, limits.filesMax);
    const [newest] = files;
    if (newest === undefined) return true;
    const at = this.#position ?? (await loadPosition(position, target, limits.filesMax));
    this.#position = at;
    if (newest.id === at.source && newest.bytes === at.offset) return true;
    // What fails from here on may have written a part: it is counted when it is tried again.
    this.#position = undefined;
    const out = await open(target, "a", MODE);
    const copy = new Copy(at, out, this.#options);
    let isAll: boolean;
    try {
      isAll = await copy.run(files);
    } finally {
      await out.close();
    }
    let saved = await savePosition(position, copy.position, target);
    if (saved.written > limits.sizeBytesMax) {
      await putAside(target, limits.filesMax);
      createFile(target);
      saved = await savePosition(position, saved, target);
    }
    this.#position = saved;
    return isAll;
  }
}

function createFile(path: string): void {
  closeSync(openSync(path, "a", MODE));
}

/** One pass over conmon's files. */
class Copy {
  readonly #out: FileHandle;
  readonly #attributes: ReadonlyMap<string, string>;
  #at: Position;
  #left = PASS_BYTES;

  constructor(from: Position, out: FileHandle, { attributes }: JsonLogOptions) {
    this.#at = from;
    this.#out = out;
    this.#attributes = attributes;
  }

  get position(): Position {
    return this.#at;
  }

  /** @param files newest first: all but the first are complete. @returns whether it came to the end of the newest. */
  async run(files: readonly FoundFile[]): Promise<boolean> {
    const begun = files.findIndex(({ id }) => id === this.#at.source);
    // It fell out before it was read to its end: what was counted in it is of no use for another.
    if (begun === -1 && this.#at.source !== "") this.#at = { ...this.#at, skip: 0 };
    const first = begun === -1 ? files.length - 1 : begun;
    for (const { path, id } of files.slice(0, first + 1).toReversed()) {
      if (id !== this.#at.source) this.#at = { ...this.#at, source: id, offset: 0 };
      if (!(await this.#copy(path, id))) return false;
    }
    return true;
  }

  /** @returns whether it came to the end; not where another file is at the path by now, or others are to have their turn. */
  async #copy(path: string, id: string): Promise<boolean> {
    const file = await open(path, "r");
    try {
      if (fileIdOf(await file.stat()) !== id) return false;
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      while (this.#left > 0) {
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, this.#at.offset);
        const end = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
        // A whole chunk without an end is no line of conmon's.
        const taken = end === 0 && bytesRead === CHUNK_BYTES ? bytesRead : end;
        if (taken === 0) return true;
        await this.#write(chunk.toString("utf8", 0, end));
        this.#at = { ...this.#at, offset: this.#at.offset + taken };
        this.#left -= taken;
      }
      return false;
    } finally {
      await file.close();
    }
  }

  async #write(said: string): Promise<void> {
    const { text, lines } = toJsonLines(said, this.#attributes);
    const known = Math.min(this.#at.skip, lines);
    this.#at = { ...this.#at, skip: this.#at.skip - known };
    if (known < lines) await this.#out.writeFile(withoutLines(text, known));
  }
}
