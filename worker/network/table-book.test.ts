import { assert } from "chai";
import { EndpointTable } from "../../proto/gen/endpoints.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { TableBook, type TableFiles } from "./table-book.ts";

class MemoryFiles implements TableFiles {
  readonly kept = new Map<string, EndpointTable>();
  tables(): EndpointTable[] {
    return [...this.kept.values()];
  }
  putTable(table: EndpointTable): void {
    this.kept.set(table.networkId, table);
  }
  removeTable(networkId: string): void {
    this.kept.delete(networkId);
  }
}

/** A table whose endpoints serve, by their addresses. */
function table(version: number, ...addresses: string[]): EndpointTable {
  const endpoints = addresses.map((address) => ({
    taskId: address,
    addresses: [address],
    serving: true,
  }));
  return EndpointTable.fromPartial({
    networkId: "net",
    version,
    network: { name: "app" },
    endpoints,
  });
}

describe("data plane: the book of tables", () => {
  it("says whose addresses serve no more", () => {
    const book = new TableBook(new MemoryFiles(), new FakeClock());
    assert.isEmpty([...(book.put(table(1, "10.0.1.5", "10.0.1.6")) ?? ["?"])]);
    assert.deepEqual([...(book.put(table(2, "10.0.1.6", "10.0.1.7")) ?? [])], ["10.0.1.5"]);
  });

  it("ignores what is not newer", () => {
    const book = new TableBook(new MemoryFiles(), new FakeClock());
    book.put(table(7, "10.0.1.5"));
    assert.isUndefined(book.put(table(7)));
    assert.isUndefined(book.put(table(6)));
    assert.deepEqual(book.versions(), [{ networkId: "net", version: 7 }]);
  });

  it("is the same after a restart", () => {
    const files = new MemoryFiles();
    new TableBook(files, new FakeClock()).put(table(3, "10.0.1.5"));
    assert.deepEqual(new TableBook(files, new FakeClock()).find("net"), table(3, "10.0.1.5"));
  });

  it("keeps a withdrawn network while it is in use, and says so to nobody", () => {
    const files = new MemoryFiles();
    const book = new TableBook(files, new FakeClock());
    book.put(table(3));
    book.withdraw("net");
    assert.isEmpty(book.versions());
    assert.isEmpty(book.forgetUnused(new Set(["net"])));
    assert.isDefined(book.find("net"));
    assert.deepEqual(book.forgetUnused(new Set()), ["net"]);
    assert.isUndefined(book.find("net"));
    assert.equal(files.kept.size, 0);
  });

  it("takes a withdrawn network back at any version", () => {
    const book = new TableBook(new MemoryFiles(), new FakeClock());
    book.put(table(9, "10.0.1.5"));
    book.withdraw("net");
    assert.isDefined(book.put(table(2)));
    assert.deepEqual(book.versions(), [{ networkId: "net", version: 2 }]);
  });

  it("lets a sandbox wait for a table, for a while", async () => {
    const clock = new FakeClock();
    const book = new TableBook(new MemoryFiles(), clock);
    const waiting = book.waitFor(["net"]);
    book.put(table(1));
    await waiting;
    const forever = book.waitFor(["net", "other"]).then(
      () => "came",
      (error: Error) => error.message,
    );
    await clock.advance(10_000);
    assert.match(await forever, /cannot attach to network other/);
  });
});
