import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { expect } from "chai";
import { READER_EVENTS_MAX } from "../../runtime/events/event-reader.ts";
import { askJson } from "../support/ask.ts";
import { eventually } from "../support/eventually.ts";
import { type MemoryApi, startMemoryApi } from "../support/memory-api.ts";

interface WireEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string };
}

describe("integration: events over the API", function () {
  this.timeout(20_000);
  let api: MemoryApi;
  const open: IncomingMessage[] = [];

  beforeEach(async () => {
    api = await startMemoryApi();
  });
  afterEach(async () => {
    for (const stream of open.splice(0)) stream.destroy();
    await api.close();
  });

  const publish = (actorId: string, action = "pull") =>
    api.journal.publish({ type: "image", action, actorId, attributes: { name: actorId } });

  /** Resolves with the stream once its headers are here. */
  async function follow(query: string): Promise<IncomingMessage> {
    const asked = request({ socketPath: api.socketPath, path: `/events?${query}` }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    open.push(response);
    return response;
  }

  /** Parses lines as they come. */
  function collect(stream: IncomingMessage): WireEvent[] {
    const events: WireEvent[] = [];
    let rest = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      events.push(...lines.map((line) => JSON.parse(line) as WireEvent));
    });
    return events;
  }

  it("come as they happen, and the headers before them", async () => {
    const stream = await follow("");
    expect(stream.headers["content-type"]).to.equal("application/json");
    const events = collect(stream);
    publish("a");
    await eventually("the event is here", async () => events.length === 1);
    expect(events[0]).to.include({ Type: "image", Action: "pull" });
  });

  it("are replayed between two times, and the stream ends", async () => {
    publish("a");
    publish("b", "tag");
    const until = (Date.now() + 50) / 1000;
    const filters = encodeURIComponent(JSON.stringify({ event: { tag: true } }));
    const stream = await follow(`since=0&until=${until}&filters=${filters}`);
    const events = collect(stream);
    await once(stream, "end");
    expect(events.map(({ Actor }) => Actor.ID)).to.deep.equal(["b"]);
  });

  const refused: { query: string; message: string }[] = [
    { query: `filters=${encodeURIComponent('{"colour":["red"]}')}`, message: "invalid filter" },
    { query: "since=yesterday", message: "must be seconds since 1970" },
    { query: "since=2&until=1", message: "cannot be after" },
  ];
  for (const { query, message } of refused) {
    it(`refuse ${query}`, async () => {
      const { status, json } = await askJson(api.socketPath, `GET /events?${query}`);
      expect(status).to.equal(400);
      expect((json as { message: string }).message).to.contain(message);
    });
  }

  it("are cut off for a client that does not read, and the journal lets go of it", async () => {
    const stream = await follow("");
    await eventually("it is followed", async () => api.journal.readers === 1);
    stream.pause();
    const attributes = { name: "x".repeat(10_000) };
    let published = 0;
    await eventually("it is cut off", async () => {
      for (let i = 0; i < READER_EVENTS_MAX; i++)
        api.journal.publish({ type: "image", action: "pull", actorId: "a", attributes });
      published += READER_EVENTS_MAX;
      return api.journal.readers === 0;
    });
    expect(published).to.be.lessThan(100 * READER_EVENTS_MAX);
    const cut = once(stream, "error");
    stream.resume();
    await cut;
  });

  it("are let go of when the client goes", async () => {
    const stream = await follow("");
    await eventually("it is followed", async () => api.journal.readers === 1);
    stream.destroy();
    await eventually("nobody follows", async () => api.journal.readers === 0);
  });
});
