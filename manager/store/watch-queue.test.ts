import { expect } from "chai";
import { StoreFixture } from "../../test/support/store-fixture.ts";
import { removeChange } from "./changes.ts";
import type { Cursor } from "./watch-queue.ts";

const names = (cursor: Cursor, max?: number) => {
  const batch = cursor.take(max);
  if (batch.kind === "resync") return "resync";
  return batch.events.map(({ after, before }) =>
    after !== undefined && "id" in after
      ? `+${after.id}`
      : `-${before !== undefined && "id" in before ? before.id : ""}`,
  );
};

describe("store: watch", () => {
  it("gives every change once, in order", () => {
    const cluster = new StoreFixture();
    const cursor = cluster.store.watch();
    cluster.addNode("a");
    cluster.addNode("b");
    expect(names(cursor)).to.deep.equal(["+a", "+b"]);
    cluster.must(removeChange("node", "a"));
    expect(names(cursor)).to.deep.equal(["-a"]);
    expect(names(cursor)).to.deep.equal([]);
  });

  it("starts after the index asked for", () => {
    const cluster = new StoreFixture();
    for (const id of ["a", "b", "c"]) cluster.addNode(id);
    expect(names(cluster.store.watch(0))).to.deep.equal(["+a", "+b", "+c"]);
    expect(names(cluster.store.watch(2))).to.deep.equal(["+c"]);
    expect(names(cluster.store.watch(3))).to.deep.equal([]);
  });

  it("tells a cursor that fell off to start over, and goes on from there", () => {
    const cluster = new StoreFixture({ watchEventsMax: 4 });
    const cursor = cluster.store.watch();
    for (let i = 0; i < 12; i++) cluster.addNode(`n${i}`);
    expect(names(cursor)).to.equal("resync");
    cluster.addNode("next");
    expect(names(cursor)).to.deep.equal(["+next"]);
    expect(names(cluster.store.watch(1))).to.equal("resync");
  });

  it("tells every cursor to start over when the state is replaced", () => {
    const other = new StoreFixture();
    other.addNode("x");
    const cluster = new StoreFixture();
    const cursor = cluster.store.watch();
    cluster.store.restore(7, other.store.snapshot());
    expect(names(cursor)).to.equal("resync");
    expect(names(cursor)).to.deep.equal([]);
    expect(names(cluster.store.watch(6))).to.equal("resync");
    expect(names(cluster.store.watch(7))).to.deep.equal([]);
  });

  it("takes at most about `max`, whole transactions", () => {
    const cluster = new StoreFixture();
    const cursor = cluster.store.watch();
    cluster.addService("s");
    cluster.addNode("n");
    const first = cursor.take(1);
    expect(first.kind === "events" && first.events.map(({ kind }) => kind)).to.deep.equal([
      "service",
      "revision",
    ]);
    expect(names(cursor, 1)).to.deep.equal(["+n"]);
  });

  it("wakes who waits", async () => {
    const cluster = new StoreFixture();
    const cursor = cluster.store.watch();
    const woken = cursor.ready();
    cluster.addNode("a");
    await woken;
    expect(names(cursor)).to.deep.equal(["+a"]);
    const closed = cursor.ready();
    cursor.close();
    await closed;
  });
});
