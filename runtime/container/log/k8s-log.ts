import type { LogRecord } from "../types.ts";

/**
 * conmon's log lines: `2026-01-02T03:04:05.000000006+00:00 stdout F text`, P for a part of a line whose rest follows.
 *
 * Source: conmon, ctr_logging.c, format k8s-file; Kubernetes' CRI log format.
 */
export interface K8sLine {
  readonly time: string;
  readonly stderr: boolean;
  /** The text is the beginning or middle of a longer line. */
  readonly partial: boolean;
  readonly data: Uint8Array;
}

/** conmon writes at most 8 KiB of text in one; longer is not a log of ours and is passed over. */
export const LINE_BYTES_MAX = 65_536;

const NEWLINE = 0x0a;
const HEADER = /^(\S+) (stdout|stderr) ([FP]) $/;
/** The three words before the text are no longer than this. */
const HEADER_BYTES_MAX = 64;

/** Reads one line without its newline; undefined when it is none of conmon's, torn by a crash. */
export function findK8sLine(line: Uint8Array): K8sLine | undefined {
  const textAt = thirdSpace(line) + 1;
  if (textAt === 0) return undefined;
  const header = HEADER.exec(Buffer.from(line.subarray(0, textAt)).toString("latin1"));
  if (header === null) return undefined;
  const [, time = "", stream, tag] = header;
  return {
    time: toUtc(time),
    stderr: stream === "stderr",
    partial: tag === "P",
    data: line.subarray(textAt),
  };
}

/** What the container wrote, copied: a whole line gets its newline back. */
export function toRecord(line: K8sLine): LogRecord {
  const data = new Uint8Array(line.data.length + (line.partial ? 0 : 1));
  data.set(line.data);
  if (!line.partial) data[line.data.length] = NEWLINE;
  return { time: line.time, stderr: line.stderr, data };
}

/** Cuts a stream of bytes into lines, whatever the pieces it comes in. */
export class LineSplitter {
  #rest: Uint8Array = new Uint8Array(0);

  /** The lines that end in `chunk`, without newline, valid until the next call; those longer than LINE_BYTES_MAX are left out. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#join(chunk.subarray(start, end));
      this.#rest = new Uint8Array(0);
      start = end + 1;
      if (line.length <= LINE_BYTES_MAX) yield line;
    }
    // One byte too many is kept so that the line is known to be too long when it ends. Copied: the caller's buffer is used again.
    this.#rest = new Uint8Array(this.#join(chunk.subarray(start)).subarray(0, LINE_BYTES_MAX + 1));
  }

  #join(tail: Uint8Array): Uint8Array {
    return this.#rest.length === 0 ? tail : Buffer.concat([this.#rest, tail]);
  }
}

/** conmon writes its local time zone's offset; we start it with UTC's, so that only the spelling differs. */
function toUtc(time: string): string {
  return time.endsWith("+00:00") ? `${time.slice(0, -"+00:00".length)}Z` : time;
}

function thirdSpace(line: Uint8Array): number {
  const SPACE = 0x20;
  let at = -1;
  for (let count = 0; count < 3; count++) {
    at = line.indexOf(SPACE, at + 1);
    if (at === -1 || at > HEADER_BYTES_MAX) return -1;
  }
  return at;
}
