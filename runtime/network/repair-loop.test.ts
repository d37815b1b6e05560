import { assert } from "chai";
import { type Log, silentLog } from "../../core/log.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RepairLoop } from "./repair-loop.ts";

describe("local networks: repair of rules", () => {
  const said: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (message, fields) => said.push(`${message}: ${fields?.rules}`),
    error: (message, fields) => said.push(`${message}: ${fields?.rules}`),
  };

  it("looks now and then and when asked, tells what it has done, and goes on after a failure", async () => {
    const clock = new FakeClock();
    let looks = 0;
    const broken = {
      verify: () => {
        throw new Error("no");
      },
    };
    const changed = { verify: () => ++looks === 2 };
    const loop = new RepairLoop({ broken, changed }, clock, log);
    loop.run();
    assert.deepEqual(said.splice(0), ["cannot repair rules of the network: broken"]);
    await clock.advance(30_000);
    assert.deepEqual(said.splice(0), [
      "cannot repair rules of the network: broken",
      "somebody has changed rules of the network: written again: changed",
    ]);
    await clock.advance(60_000);
    assert.equal(looks, 4);
    loop.close();
    await clock.advance(60_000);
    assert.equal(looks, 4);
  });
});
