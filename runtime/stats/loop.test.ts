import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { readUsage } from "../cgroup/usage.ts";
import { FOLLOWERS_MAX, MISSED_MAX, UsageLoop } from "./loop.ts";
import type { UsagePair, UsageSample } from "./types.ts";

describe("stats: those who follow what a container uses", () => {
  let clock: FakeClock;
  let looks: number;
  let state: "running" | "stopped" | "removed";
  let loop: UsageLoop;

  beforeEach(() => {
    clock = new FakeClock();
    looks = 0;
    state = "running";
    loop = new UsageLoop(() => {
      looks += 1;
      if (state === "removed") throw new ClusterError("NotFound", "no such container");
      return state === "running" ? sampleAt(clock.nowMs()) : undefined;
    }, clock);
  });

  const follow = (onTooSlow = () => {}, signal = new AbortController().signal) =>
    loop.follow("c", { signal, onTooSlow });
  const timesOf = ({ value }: IteratorResult<UsagePair>) => [
    value?.current?.atMs,
    value?.previous?.atMs,
  ];

  it("are told at once, and every second with the moment before", async () => {
    const pairs = follow();
    expect(timesOf(await pairs.next())).to.deep.equal([1_000_000, undefined]);
    const second = pairs.next();
    await clock.advance(1000);
    expect(timesOf(await second)).to.deep.equal([1_001_000, 1_000_000]);
    await pairs.return(undefined);
  });

  it("share one look", async () => {
    const followers = [follow(), follow(), follow()];
    await Promise.all(followers.map((pairs) => pairs.next()));
    const before = looks;
    const next = followers.map((pairs) => pairs.next());
    await clock.advance(1000);
    await Promise.all(next);
    expect(looks - before).to.equal(1);
    for (const pairs of followers) await pairs.return(undefined);
    const after = looks;
    await clock.advance(5000);
    expect(looks, "nobody follows it any more").to.equal(after);
  });

  it("get the latest only when they read slowly, and are cut off in the end", async () => {
    let cut = 0;
    const pairs = follow(() => {
      cut += 1;
    });
    await pairs.next();
    await clock.advance(3000);
    expect(timesOf(await pairs.next())).to.deep.equal([1_003_000, 1_002_000]);
    await clock.advance((MISSED_MAX + 2) * 1000);
    expect(cut).to.equal(1);
    expect((await pairs.next()).done).to.equal(true);
  });

  it("hear that it does not run, and no more once it is removed", async () => {
    state = "stopped";
    const pairs = follow();
    expect((await pairs.next()).value).to.deep.equal({ current: undefined, previous: undefined });
    state = "removed";
    const next = pairs.next();
    await clock.advance(1000);
    expect((await next).done).to.equal(true);
  });

  it("end when they go", async () => {
    const gone = new AbortController();
    const pairs = follow(() => {}, gone.signal);
    await pairs.next();
    const next = pairs.next();
    gone.abort();
    expect((await next).done).to.equal(true);
  });

  it("are no more than a bound", async () => {
    const followers = Array.from({ length: FOLLOWERS_MAX }, () => follow());
    for (const pairs of followers) await pairs.next();
    const refusal = await follow()
      .next()
      .catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(ClusterError);
    for (const pairs of followers) await pairs.return(undefined);
  });
});

function sampleAt(atMs: number): UsageSample {
  const usage = readUsage(true, () => "");
  const machine = { systemCpuNanos: 0, onlineCpus: 1, machineMemoryBytes: 1 };
  return { ...usage, ...machine, atMs, interfaces: new Map() };
}
