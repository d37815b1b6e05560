import { expect } from "chai";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { EVENTS_KEPT_MAX, EventJournal } from "./event-journal.ts";
import { READER_EVENTS_MAX } from "./event-reader.ts";
import type { EngineEvent, EventQuery, NewEngineEvent } from "./types.ts";

const MS = 1_000_000n;

function pulled(name: string): NewEngineEvent {
  return { type: "image", action: "pull", actorId: name, attributes: { name } };
}

/** Reads in the background; the list grows as events come. */
function collect(journal: EventJournal, query: EventQuery) {
  const names: string[] = [];
  const ended = (async () => {
    for await (const { actorId } of journal.follow(query)) names.push(actorId);
  })();
  return { names, ended };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("event journal", () => {
  let clock: FakeClock;
  let journal: EventJournal;
  beforeEach(() => {
    clock = new FakeClock();
    journal = new EventJournal(clock);
  });
  const nowNs = () => BigInt(clock.nowMs()) * MS;

  it("replays what it kept since a time, then goes on with what comes, each once", async () => {
    journal.publish(pulled("old"));
    await clock.advance(10);
    const sinceNs = nowNs();
    journal.publish(pulled("a"));
    const stop = new AbortController();
    const reader = collect(journal, { sinceNs, signal: stop.signal });
    await turn();
    journal.publish(pulled("b"));
    await turn();
    expect(reader.names).to.deep.equal(["a", "b"]);
    stop.abort();
    await reader.ended;
    expect(journal.readers).to.equal(0);
  });

  it("gives only new events without a time to begin at", async () => {
    journal.publish(pulled("old"));
    const stop = new AbortController();
    const reader = collect(journal, { signal: stop.signal });
    await turn();
    journal.publish(pulled("new"));
    stop.abort();
    await reader.ended;
    expect(reader.names).to.deep.equal(["new"]);
  });

  it("ends at a time to come, and at once when that is over", async () => {
    journal.publish(pulled("a"));
    const untilNs = nowNs() + 50n * MS;
    const reader = collect(journal, { sinceNs: 0n, untilNs });
    await turn();
    await clock.advance(60);
    await reader.ended;
    journal.publish(pulled("late"));
    const again = collect(journal, { sinceNs: 0n, untilNs });
    await again.ended;
    expect([reader.names, again.names]).to.deep.equal([["a"], ["a"]]);
  });

  it("numbers events upwards though the clock stands still or goes back", async () => {
    const stop = new AbortController();
    for (const wall of [0, 0, -5000]) {
      clock.wallOffsetMs = wall;
      journal.publish(pulled(`at ${wall}`));
    }
    const events: EngineEvent[] = [];
    for await (const event of journal.follow({ sinceNs: 0n, signal: stop.signal })) {
      events.push(event);
      if (events.length === 3) stop.abort();
    }
    const [first, second, third] = events.map(({ timeNs }) => timeNs);
    expect([second, third]).to.deep.equal([(first ?? 0n) + 1n, (first ?? 0n) + 2n]);
  });

  it("keeps a bounded number", async () => {
    for (let i = 0; i < 3 * EVENTS_KEPT_MAX; i++) journal.publish(pulled(`${i}`));
    const reader = collect(journal, { sinceNs: 0n, untilNs: nowNs() + MS });
    await clock.advance(5);
    await reader.ended;
    expect(reader.names.length).to.equal(EVENTS_KEPT_MAX);
    expect(reader.names.at(-1)).to.equal(`${3 * EVENTS_KEPT_MAX - 1}`);
  });

  it("cuts off who does not read, and lets the others be", async () => {
    const stop = new AbortController();
    const slow = journal.follow({ sinceNs: 0n, signal: stop.signal });
    const quick = collect(journal, { signal: stop.signal });
    journal.publish(pulled("first"));
    await slow.next();
    for (let i = 0; i <= READER_EVENTS_MAX + 1; i++) {
      journal.publish(pulled(`${i}`));
      await Promise.resolve();
      if (i % 100 === 0) await turn();
    }
    await turn();
    const refusal = await slow.next().then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(refusal).to.match(/cannot send events: the reader is more than/);
    expect(quick.names.length).to.equal(READER_EVENTS_MAX + 3);
    expect(journal.readers).to.equal(1);
    stop.abort();
    await quick.ended;
  });

  it("queues only what fits", async () => {
    const stop = new AbortController();
    const fits = ({ actorId }: EngineEvent) => actorId === "b";
    const reader = collect(journal, { signal: stop.signal, fits });
    await turn();
    for (const name of ["a", "b", "c"]) journal.publish(pulled(name));
    stop.abort();
    await reader.ended;
    expect(reader.names).to.deep.equal(["b"]);
  });
});
