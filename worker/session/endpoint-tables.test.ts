import { expect } from "chai";
import { type DeepPartial, EndpointUpdate } from "../../proto/gen/endpoints.ts";
import { EndpointTables } from "./endpoint-tables.ts";

describe("worker: endpoint tables", () => {
  const update = (change: DeepPartial<EndpointUpdate>) =>
    EndpointUpdate.fromPartial({ networkId: "net", last: true, ...change });
  const whole = (version: number, ...taskIds: readonly string[]) =>
    update({ version, putEndpoints: taskIds.map((taskId) => ({ taskId })) });

  const taskIds = (tables: EndpointTables) =>
    tables.tables().flatMap((table) => table.endpoints.map((one) => one.taskId));

  it("applies an update when its last part has come", () => {
    const tables = new EndpointTables([]);
    const first = update({ version: 5, last: false, putEndpoints: [{ taskId: "a" }] });
    expect(tables.apply(first)).to.equal(undefined);
    expect(taskIds(tables)).to.deep.equal([]);
    expect(tables.apply(whole(5, "b"))).to.include({ kind: "changed" });
    expect(taskIds(tables)).to.deep.equal(["a", "b"]);
  });

  it("continues from its own version", () => {
    const tables = new EndpointTables([]);
    tables.apply(whole(5, "a", "b"));
    tables.apply(update({ version: 6, fromVersion: 5, removeTaskIds: ["a"] }));
    expect(taskIds(tables)).to.deep.equal(["b"]);
    expect(tables.tables()[0]?.version).to.equal(6);
  });

  it("starts over when an update does not continue it", () => {
    const tables = new EndpointTables([]);
    tables.apply(whole(5, "a"));
    expect(() => tables.apply(update({ version: 8, fromVersion: 7 }))).to.throw("cannot follow");
    expect(tables.tables()).to.deep.equal([]);
  });

  it("forgets half an update with its session", () => {
    const tables = new EndpointTables([]);
    tables.apply(update({ version: 5, last: false, putEndpoints: [{ taskId: "a" }] }));
    tables.begin();
    tables.apply(whole(6, "b"));
    expect(taskIds(tables)).to.deep.equal(["b"]);
  });

  it("drops a table that is not needed any more", () => {
    const tables = new EndpointTables([]);
    tables.apply(whole(5, "a"));
    expect(tables.apply(update({ removed: true }))).to.deep.equal({
      kind: "removed",
      networkId: "net",
    });
    expect(tables.tables()).to.deep.equal([]);
  });
});
