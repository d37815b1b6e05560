import type { Message } from "./types.ts";

/**
 * Messages on their way out, some of which must wait for the disk.
 *
 * A promise (a vote, "I have these entries") may not be heard by anybody before it is durable, by the node itself neither:
 * its own vote and its own acknowledgement are messages to itself. Everything else goes at once; in particular a
 * leader's appends, since a leader's term is durable: its own vote for itself was counted.
 * Source: thesis §10.2.1, writing to the leader's disk in parallel.
 */
export class Outbox {
  #free: Message[] = [];
  /** Promises that rest on state not yet given to the shell to write. */
  #unwritten: Message[] = [];
  /** Promises that rest on a write under way. */
  #held: { readonly writeId: number; readonly message: Message }[] = [];

  send(message: Message): void {
    if (isPromise(message)) this.#unwritten.push(message);
    else this.#free.push(message);
  }

  /** All state as of now is durable once the write `writeId` is. */
  writesGiven(writeId: number): void {
    for (const message of this.#unwritten) this.#held.push({ writeId, message });
    this.#unwritten = [];
  }

  /** Takes the promises that have become true. */
  takeKept(stableId: number): Message[] {
    let count = 0;
    for (const { writeId } of this.#held) {
      if (writeId > stableId) break;
      count += 1;
    }
    if (count === 0) return [];
    return latestReplies(this.#held.splice(0, count).map(({ message }) => message));
  }

  /** Lets `message` go, its promise being kept. */
  release(message: Message): void {
    this.#free.push(message);
  }

  takeFree(): Message[] {
    const messages = this.#free;
    this.#free = [];
    return messages;
  }
}

/**
 * An accepted append's reply speaks for every entry up to its index: of several to one peer in one term, kept by one
 * flush, the one that reaches furthest says all.
 */
function latestReplies(messages: readonly Message[]): Message[] {
  const latest: Message[] = [];
  for (const message of messages) {
    const at = latest.findIndex((other) => isSameReply(other, message));
    const other = latest[at];
    if (other === undefined) latest.push(message);
    else if (indexOf(message) > indexOf(other)) latest[at] = message;
  }
  return latest;
}

function isSameReply(a: Message, b: Message): boolean {
  const areReplies = a.kind === "appendReply" && b.kind === "appendReply";
  return areReplies && a.to === b.to && a.term === b.term;
}

function indexOf(message: Message): number {
  return message.kind === "appendReply" ? message.index : 0;
}

/**
 * A request for votes is one as well: it says how far the candidate's log goes. Were part of that lost in a crash, a vote
 * still under way could elect a candidate that no longer has the entries it was given for.
 */
function isPromise(message: Message): boolean {
  switch (message.kind) {
    case "vote":
    case "voteReply":
      return true;
    case "appendReply":
      return message.accepted;
    default:
      return false;
  }
}
