import { expect } from "chai";
import { CLOCK_SKEW_MAX_MS, waitEndMs } from "./wall-wait.ts";

describe("waits by the wall clock", () => {
  const SINCE_MS = 1_000_000;
  const wait = { sinceMs: SINCE_MS, untilMs: SINCE_MS + 5_000 };

  it("end when they were to, by clocks that agree more or less", () => {
    for (const nowMs of [SINCE_MS, SINCE_MS + 60_000, SINCE_MS - CLOCK_SKEW_MAX_MS]) {
      expect(waitEndMs(wait, nowMs)).to.equal(SINCE_MS + 5_000);
    }
  });

  it("are over by a clock that shows a time long before they began", () => {
    const nowMs = SINCE_MS - 3_600_000;
    expect(waitEndMs(wait, nowMs)).to.equal(nowMs);
  });
});
