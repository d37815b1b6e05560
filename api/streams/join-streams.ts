import { DetachScanner } from "../../core/detach-keys.ts";
import type { AttachedStreams } from "../backends/streams.ts";
import type { Hijacked } from "../http/hijack.ts";
import { frame, StreamNumber } from "./frame.ts";

/** How a client and a process are joined. */
export interface JoinOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Whether each piece of output says whose it is; otherwise bytes go as they are. */
  readonly framed: boolean;
  /** Undefined: nobody can leave by typing. */
  readonly detachKeys: Uint8Array | undefined;
  /** Who sends no more input wants no more output either. */
  readonly endsWithInput: boolean;
}

/**
 * Carries bytes both ways until the process ends, or the client leaves or is cut off. Who types the keys detaches, who only
 * goes does not.
 *
 * Never rejects. A client that reads slowly holds the process back for as long as the backend lets it.
 */
export async function joinStreams(
  client: Hijacked,
  streams: AttachedStreams,
  options: JoinOptions,
): Promise<void> {
  const output = sendOutput(client, streams, options);
  const input = options.stdin ? takeInput(client, streams, options) : client.untilGone();
  const last = await Promise.race([output, input]);
  if (last === "detached") streams.detach();
  else streams.close();
  if (last === "cut off") client.destroy();
  else client.end();
}

async function sendOutput(
  client: Hijacked,
  streams: AttachedStreams,
  { framed, stdout, stderr }: JoinOptions,
): Promise<"ended" | "cut off"> {
  try {
    for await (const chunk of streams.output) {
      if (!(chunk.stderr ? stderr : stdout)) continue;
      const number = chunk.stderr ? StreamNumber.Stderr : StreamNumber.Stdout;
      await client.write(framed ? frame(number, chunk.data) : chunk.data);
    }
    return "ended";
  } catch {
    // Too slow, or gone: of no interest to anybody here.
    return "cut off";
  }
}

async function takeInput(
  client: Hijacked,
  streams: AttachedStreams,
  { detachKeys, endsWithInput }: JoinOptions,
): Promise<"left" | "detached"> {
  const scanner = detachKeys === undefined ? undefined : new DetachScanner(detachKeys);
  try {
    for await (const bytes of client.input()) {
      const { data, detached } = scanner?.scan(bytes) ?? { data: bytes, detached: false };
      if (data.length > 0) await streams.write(data);
      if (detached) return "detached";
    }
  } catch {
    // The connection broke: as if it had ended.
  }
  streams.closeInput();
  if (!endsWithInput) await client.untilGone();
  return "left";
}
