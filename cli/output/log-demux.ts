import { FrameReader } from "./frame-reader.ts";

/** One line of a log with the labels the daemon put before it (`details`). */
export interface LogLine {
  readonly stderr: boolean;
  readonly details: ReadonlyMap<string, string> & Map<string, string>;
  readonly text: string;
}

/** Takes Docker's multiplexed frames (or raw bytes) apart, however they are cut into chunks. */
export class LogDemux {
  readonly #framed: boolean;
  readonly #onLine: (line: LogLine) => void;
  readonly #frames = new FrameReader();

  constructor(framed: boolean, onLine: (line: LogLine) => void) {
    this.#framed = framed;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    if (!this.#framed) {
      this.#onLine({ stderr: false, details: new Map(), text: chunk.toString("utf8") });
      return;
    }
    for (const { stderr, data } of this.#frames.read(chunk))
      this.#onLine(parseLine(stderr, data.toString("utf8")));
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
