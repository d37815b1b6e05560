import { expect } from "chai";
import { Housekeeping } from "./housekeeping.ts";

/** A promise somebody else ends. */
function pending<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onDone, onFail) => {
    resolve = onDone;
    reject = onFail;
  });
  return { promise, resolve, reject };
}

const failed = (error: unknown): unknown => error;

describe("housekeeping", () => {
  it("sweeps after work, and work waits for a sweep", async () => {
    const order: string[] = [];
    const sweep = pending<void>();
    const housekeeping = new Housekeeping(async () => {
      order.push("sweep");
      await sweep.promise;
      order.push("swept");
    });
    const work = pending<void>();
    const first = housekeeping.during(() => work.promise.then(() => void order.push("worked")));
    await housekeeping.sweepSoon();
    expect(order).to.deep.equal([]);
    work.resolve();
    await Promise.resolve();
    const second = housekeeping.during(async () => void order.push("later"));
    sweep.resolve();
    await Promise.all([first, second]);
    expect(order.indexOf("worked")).to.be.below(order.indexOf("sweep"));
    expect(order).to.have.length(4);
  });
  it("works on after a sweep that failed", async () => {
    const housekeeping = new Housekeeping(() => Promise.reject(new Error("disk")));
    expect(await housekeeping.sweepSoon().catch(failed)).to.have.property("message", "disk");
    expect(await housekeeping.during(() => Promise.resolve(1))).to.equal(1);
  });
});
