import { expect } from "chai";
import type { Message } from "../../../raft-ts/types.ts";
import { OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX, Outbox } from "./outbox.ts";

function heartbeat(context: number): Message {
  return { kind: "heartbeat", from: 1, to: 2, term: 1, commit: 0, context, sentAt: 0 };
}

function append(bytes: number): Message {
  const entries = [{ index: 1, term: 1, kind: "normal", data: new Uint8Array(bytes) } as const];
  return { kind: "append", from: 1, to: 2, term: 1, prevIndex: 0, prevTerm: 0, commit: 0, entries };
}

describe("outbox", () => {
  it("gives messages in the order they came", () => {
    const outbox = new Outbox();
    const messages = [1, 2, 3].map(heartbeat);
    for (const message of messages) expect(outbox.push(message)).to.equal(false);
    expect([outbox.shift(), outbox.shift(), outbox.shift()]).to.deep.equal(messages);
    expect(outbox.shift()).to.equal(undefined);
  });

  it("drops the oldest past the number of messages", () => {
    const outbox = new Outbox();
    for (let i = 0; i < OUTBOX_MESSAGES_MAX; i++) expect(outbox.push(heartbeat(i))).to.equal(false);
    expect(outbox.push(heartbeat(-1))).to.equal(true);
    expect(outbox.shift()).to.deep.equal(heartbeat(1));
  });

  it("drops the oldest past the number of bytes, but never the only one", () => {
    const outbox = new Outbox();
    expect(outbox.push(append(OUTBOX_BYTES_MAX + 1))).to.equal(false);
    expect(outbox.push(heartbeat(1))).to.equal(true);
    expect(outbox.shift()).to.deep.equal(heartbeat(1));
    expect(outbox.push(append(OUTBOX_BYTES_MAX))).to.equal(false);
  });
});
