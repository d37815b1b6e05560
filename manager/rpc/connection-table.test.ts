import { expect } from "chai";
import { ConnectionTable } from "./connection-table.ts";
import { CONNECTIONS_PER_NODE_MAX, STRANGERS_MAX, STRANGERS_PER_ADDRESS_MAX } from "./limits.ts";

/** Opens as many as one address may have. */
function fillFrom(table: ConnectionTable, host: string): void {
  for (let port = 1; port <= STRANGERS_PER_ADDRESS_MAX; port++) {
    expect(table.open(`${host}:${port}`)).to.equal(undefined);
  }
}

describe("rpc: the table of connections", () => {
  it("lets as many strangers in from one address as it says, and then the oldest of it give way", () => {
    const table = new ConnectionTable();
    table.open("10.0.0.2:1");
    fillFrom(table, "10.0.0.1");
    expect(table.open("10.0.0.1:1000")).to.equal("10.0.0.1:1");
    table.close("10.0.0.1:1");
    expect(table.open("10.0.0.1:1001")).to.equal("10.0.0.1:2");
  });

  it("counts a /64 of IPv6 as one address", () => {
    const table = new ConnectionTable();
    for (let i = 0; i < STRANGERS_PER_ADDRESS_MAX; i++) table.open(`fd00::${i.toString(16)}:1`);
    expect(table.open("fd00::aaaa:1")).to.equal("fd00::0:1");
    expect(table.open("fd00:0:0:1::aaaa:1")).to.equal(undefined);
  });

  it("lets the oldest stranger of all give way when there are too many altogether", () => {
    const table = new ConnectionTable();
    const hosts = STRANGERS_MAX / STRANGERS_PER_ADDRESS_MAX;
    for (let host = 0; host < hosts; host++) fillFrom(table, `10.0.0.${host}`);
    expect(table.strangers).to.equal(STRANGERS_MAX);
    expect(table.open("10.9.9.9:1")).to.equal("10.0.0.0:1");
  });

  it("does not count as a stranger who has shown who it is, and limits it by its name", () => {
    const table = new ConnectionTable();
    for (let port = 1; port <= CONNECTIONS_PER_NODE_MAX; port++) {
      table.open(`10.0.0.1:${port}`);
      expect(table.identify(`10.0.0.1:${port}`, "a")).to.equal(undefined);
    }
    expect(table.strangers).to.equal(0);
    table.open("10.0.0.2:1");
    expect(table.identify("10.0.0.2:1", "a")).to.equal("10.0.0.1:1");
    table.open("10.0.0.2:2");
    expect(table.identify("10.0.0.2:2", "b")).to.equal(undefined);
  });

  it("forgets those who have gone, however far they came", () => {
    const table = new ConnectionTable();
    table.open("10.0.0.1:1");
    table.open("10.0.0.1:2");
    table.identify("10.0.0.1:2", "a");
    table.close("10.0.0.1:1");
    table.close("10.0.0.1:2");
    table.close("10.0.0.1:3");
    expect(table.identify("10.0.0.1:1", "a")).to.equal(undefined);
    expect([table.size, table.strangers]).to.deep.equal([0, 0]);
  });
});
