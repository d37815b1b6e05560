import { ClusterError } from "../../core/errors.ts";
import type { LogMessage, LogOptions } from "../../proto/gen/control.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Answer } from "../http/router.ts";
import { untilDrained } from "../http/send-list.ts";
import { frame, StreamNumber } from "../streams/frame.ts";

const NEWLINE = 0x0a;

/** A line of somebody's output. */
export interface LogLine {
  /** RFC 3339. */
  readonly timestamp: string;
  readonly stderr: boolean;
  readonly data: Uint8Array;
}

/** Reads the query of Docker's log endpoints. @throws {ClusterError} `InvalidArgument`. */
export function readLogOptions(exchange: Exchange): LogOptions {
  const { query } = exchange;
  const stdout = exchange.flag("stdout");
  const stderr = exchange.flag("stderr");
  if (!stdout && !stderr) {
    throw new ClusterError(
      "InvalidArgument",
      "Bad parameters: you must choose at least one stream",
    );
  }
  const tail = query.get("tail") ?? "all";
  return {
    stdout,
    stderr,
    follow: exchange.flag("follow"),
    tail: isAll(tail) ? -1 : wholeNumber("tail", tail),
    sinceMs: timeMs("since", query.get("since")),
    untilMs: timeMs("until", query.get("until")),
  };
}

/**
 * Streams log messages as Docker does: raw bytes for a terminal, else frames of `{stream, 0, 0, 0, length}`.
 *
 * Times and details stand at the beginning of a line; what goes on with one that came in parts has none.
 *
 * A client that reads slowly holds the stream back; nothing is buffered beyond the socket's own bound.
 */
export async function sendLogs<Line extends LogLine>(
  exchange: Exchange,
  messages: AsyncIterable<Line>,
  options: {
    readonly tty: boolean;
    readonly detailsOf: (line: Line) => string;
    /** Whose line it is, where several write at once. */
    readonly sourceOf?: (line: Line) => string;
  },
): Promise<Answer> {
  const { tty, detailsOf, sourceOf = () => "" } = options;
  const unfinished = new Set<string>();
  const { response, signal } = exchange;
  const timestamps = exchange.flag("timestamps");
  const details = exchange.flag("details");
  const kind = tty ? "raw-stream" : "multiplexed-stream";
  response.writeHead(200, { "Content-Type": `application/vnd.docker.${kind}` });
  response.flushHeaders();
  for await (const message of messages) {
    if (signal.aborted) return undefined;
    const source = `${message.stderr} ${sourceOf(message)}`;
    const said =
      (timestamps ? `${message.timestamp} ` : "") + (details ? `${detailsOf(message)} ` : "");
    const prefix = unfinished.has(source) ? "" : said;
    if (message.data.at(-1) === NEWLINE) unfinished.delete(source);
    else unfinished.add(source);
    const line = Buffer.concat([Buffer.from(prefix), message.data]);
    const chunk = tty
      ? line
      : frame(message.stderr ? StreamNumber.Stderr : StreamNumber.Stdout, line);
    if (!response.write(chunk)) await untilDrained(exchange);
  }
  response.end();
  return undefined;
}

/** The labels by which the docker CLI knows whose line it is. */
export function taskDetails(message: LogMessage): string {
  const prefix = "com.docker.swarm";
  return `${prefix}.node.id=${message.nodeId},${prefix}.service.id=${message.serviceId},${prefix}.task.id=${message.taskId}`;
}

/** Clients send a negative number as well. Source: moby, daemon/logs.go. */
function isAll(tail: string): boolean {
  return tail === "all" || tail === "" || /^-\d+$/.test(tail);
}

/** Seconds since 1970 with an optional fraction, as clients send times. */
function timeMs(name: string, text: string | null): number {
  if (text === null || text === "" || text === "0") return 0;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return Math.floor(seconds * 1000);
  throw new ClusterError(
    "InvalidArgument",
    `invalid ${name} '${text}': must be seconds since 1970`,
  );
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new ClusterError(
    "InvalidArgument",
    `invalid ${name} '${text}': must be 'all' or a whole number`,
  );
}
