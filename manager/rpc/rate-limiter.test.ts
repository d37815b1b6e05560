import { expect } from "chai";
import { CALLERS_MAX, RateLimiter } from "./rate-limiter.ts";

const RATE = { burst: 20, perSecond: 2 };

describe("rpc: rate limiter", () => {
  const taken = (limiter: RateLimiter, caller: string, nowMs: number, times: number) =>
    Array.from({ length: times }, () => limiter.take(caller, nowMs)).filter((ms) => ms === 0)
      .length;

  it("lets a burst through, then so many a second, each caller for itself", () => {
    const limiter = new RateLimiter(RATE);
    expect(taken(limiter, "a", 0, RATE.burst + 5)).to.equal(RATE.burst);
    expect(taken(limiter, "b", 0, 1)).to.equal(1);
    expect(taken(limiter, "a", 1000, RATE.burst)).to.equal(RATE.perSecond);
    expect(taken(limiter, "a", 3_600_000, RATE.burst + 5)).to.equal(RATE.burst);
  });

  it("says how long to wait, and that is enough", () => {
    const limiter = new RateLimiter(RATE);
    taken(limiter, "a", 0, RATE.burst);
    const waitMs = limiter.take("a", 0);
    expect(waitMs).to.equal(1000 / RATE.perSecond);
    expect(limiter.take("a", waitMs)).to.equal(0);
  });

  it("remembers so many callers and no more", () => {
    const limiter = new RateLimiter(RATE);
    for (let i = 0; i < 3 * CALLERS_MAX; i++) limiter.take(`10.0.${i >> 8}.${i & 255}`, i);
    expect(limiter.size).to.equal(CALLERS_MAX);
  });
});
