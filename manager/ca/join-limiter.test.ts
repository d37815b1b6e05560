import { expect } from "chai";
import { JOIN_BURST, JOINS_PER_SECOND, JoinLimiter } from "./join-limiter.ts";

describe("ca: join limiter", () => {
  it("lets a burst through, then so many a second, each address for itself", () => {
    const limiter = new JoinLimiter();
    const take = (address: string, nowMs: number, times: number) =>
      Array.from({ length: times }, () => limiter.tryTake(address, nowMs)).filter(Boolean).length;
    expect(take("a", 0, JOIN_BURST + 5)).to.equal(JOIN_BURST);
    expect(take("b", 0, 1)).to.equal(1);
    expect(take("a", 1000, JOIN_BURST)).to.equal(JOINS_PER_SECOND);
    expect(take("a", 3_600_000, JOIN_BURST + 5)).to.equal(JOIN_BURST);
  });
});
