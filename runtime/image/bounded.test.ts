import { expect } from "chai";
import { forEachBounded } from "./bounded.ts";

const failed = (error: unknown): unknown => error;

describe("bounded work", () => {
  it("keeps the limit", async () => {
    let now = 0;
    let most = 0;
    await forEachBounded([1, 2, 3, 4, 5], 2, undefined, async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
    });
    expect(most).to.equal(2);
  });
  it("after a failure begins nothing, stops the rest and waits for it", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const error = await forEachBounded([1, 2, 3], 2, undefined, async (item, signal) => {
      begun.push(item);
      if (item === 1) throw new Error("first");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.push(item);
    }).catch(failed);
    expect(error).to.have.property("message", "first");
    expect([begun, ended]).to.deep.equal([[1, 2], [2]]);
  });
});
