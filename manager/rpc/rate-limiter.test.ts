import { expect } from "chai";
import { ADDRESSES_MAX, JOIN_BURST, JOINS_PER_SECOND, JoinLimiter } from "./join-limiter.ts";

describe("ca: join limiter", () => {
  const taken = (limiter: JoinLimiter, address: string, nowMs: number, times: number) =>
    Array.from({ length: times }, () => limiter.take(address, nowMs)).filter((ms) => ms === 0)
      .length;

  it("lets a burst through, then so many a second, each address for itself", () => {
    const limiter = new JoinLimiter();
    expect(taken(limiter, "a", 0, JOIN_BURST + 5)).to.equal(JOIN_BURST);
    expect(taken(limiter, "b", 0, 1)).to.equal(1);
    expect(taken(limiter, "a", 1000, JOIN_BURST)).to.equal(JOINS_PER_SECOND);
    expect(taken(limiter, "a", 3_600_000, JOIN_BURST + 5)).to.equal(JOIN_BURST);
  });

  it("says how long to wait, and that is enough", () => {
    const limiter = new JoinLimiter();
    taken(limiter, "a", 0, JOIN_BURST);
    const waitMs = limiter.take("a", 0);
    expect(waitMs).to.equal(1000 / JOINS_PER_SECOND);
    expect(limiter.take("a", waitMs)).to.equal(0);
  });

  it("remembers so many addresses and no more", () => {
    const limiter = new JoinLimiter();
    for (let i = 0; i < 3 * ADDRESSES_MAX; i++) limiter.take(`10.0.${i >> 8}.${i & 255}`, i);
    expect(limiter.size).to.equal(ADDRESSES_MAX);
  });
});
