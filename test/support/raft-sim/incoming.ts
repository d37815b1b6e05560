import type { Message } from "../../../raft-ts/index.ts";
import { entriesOf, type Incoming, ofKind } from "./lone-member.ts";

/** What the peers of a lone member say. */

/** A request for votes by a member whose entries have the terms of `log`. */
export const vote = (from: number, term: number, log: readonly number[] = []): Incoming => ({
  kind: "vote",
  from,
  term,
  lastIndex: log.length,
  lastTerm: log.at(-1) ?? 0,
  force: false,
});

/** Of a leader that has committed nothing yet. */
export const heartbeat = (from: number, term: number): Incoming => ({
  kind: "heartbeat",
  from,
  term,
  commit: 0,
  context: 0,
  sentAt: 0,
});

/** The entries of `log` after `prevIndex`. */
export function append(
  from: number,
  term: number,
  log: readonly number[],
  prevIndex: number,
  commit = 0,
): Incoming {
  const prevTerm = log[prevIndex - 1] ?? 0;
  const entries = entriesOf(log.slice(prevIndex), prevIndex + 1);
  return { kind: "append", from, term, prevIndex, prevTerm, entries, commit };
}

/** Whether a vote was given; undefined when nothing was answered. */
export const isGranted = (messages: readonly Message[]): boolean | undefined =>
  ofKind(messages, "voteReply")[0]?.granted;
