import { expect } from "chai";
import { KeyedTurns } from "./keyed-turns.ts";

describe("turns by key", () => {
  it("run one after the other for one key, whatever failed before, and at once for others", async () => {
    const turns = new KeyedTurns();
    const log: string[] = [];
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const first = turns.run("a", async () => {
      log.push("first begins");
      await gate;
      log.push("first ends");
      throw new Error("no");
    });
    const second = turns.run("a", async () => log.push("second"));
    await turns.run("b", async () => log.push("other"));
    expect(log).to.deep.equal(["first begins", "other"]);
    open();
    expect(await first.catch((error: Error) => error.message)).to.equal("no");
    await second;
    expect(log).to.deep.equal(["first begins", "other", "first ends", "second"]);
  });
});
