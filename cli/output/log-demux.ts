/** One line of a log with the labels the daemon put before it (`details`). */
export interface LogLine {
  readonly stderr: boolean;
  readonly details: ReadonlyMap<string, string> & Map<string, string>;
  readonly text: string;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/** Takes Docker's multiplexed frames (or raw bytes) apart, however they are cut into chunks. */
export class LogDemux {
  readonly #framed: boolean;
  readonly #onLine: (line: LogLine) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(framed: boolean, onLine: (line: LogLine) => void) {
    this.#framed = framed;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    if (!this.#framed) {
      this.#onLine({ stderr: false, details: new Map(), text: chunk.toString("utf8") });
      return;
    }
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#rest.readUInt32BE(4);
      if (this.#rest.length < end) return;
      this.#onLine(
        parseLine(
          this.#rest[0] === STDERR,
          this.#rest.subarray(HEADER_BYTES, end).toString("utf8"),
        ),
      );
      this.#rest = this.#rest.subarray(end);
    }
  }
}

/** "[time ]a=b,c=d text": the details are the last word before the text that has swarm's labels. */
function parseLine(stderr: boolean, text: string): LogLine {
  const match = /^(\S+Z )?(com\.docker\.swarm\.\S+) ([\s\S]*)$/.exec(text);
  if (match === null) return { stderr, details: new Map(), text };
  const [, time = "", labels = "", rest = ""] = match;
  const pairs = labels.split(",").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return { stderr, details: new Map(pairs), text: time + rest };
}
