import { expect } from "chai";
import { readUsage } from "./usage.ts";

describe("cgroup: what a group has used", () => {
  const reader = (files: Readonly<Record<string, string>>) => (_: string, file: string) =>
    files[file] ?? "";

  it("version 2", () => {
    const usage = readUsage(
      true,
      reader({
        "cpu.stat":
          "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 2\nthrottled_usec 30\n",
        "memory.current": "1000000\n",
        "memory.max": "max\n",
        "memory.stat": "anon 5\ninactive_file 4096\n",
        "pids.current": "3\n",
        "pids.max": "100\n",
        "io.stat": "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n259:1 \n",
      }),
    );
    expect(usage.cpu).to.deep.equal({
      totalNanos: 1_500_000,
      userNanos: 1_000_000,
      kernelNanos: 500_000,
      perCpuNanos: [],
      periods: 7,
      throttledPeriods: 2,
      throttledNanos: 30_000,
    });
    expect(usage.memory.bytes).to.equal(1_000_000);
    expect(usage.memory.limitBytes).to.equal(undefined);
    expect(usage.memory.counters.get("inactive_file")).to.equal(4096);
    expect(usage.pids).to.deep.equal({ count: 3, limit: 100 });
    const disk = { major: 8, minor: 0 };
    expect(usage.blockBytes).to.deep.equal([
      { ...disk, op: "read", value: 4096 },
      { ...disk, op: "write", value: 8192 },
    ]);
    expect(usage.blockOperations.map(({ value }) => value)).to.deep.equal([1, 2]);
  });

  it("version 1", () => {
    const usage = readUsage(
      false,
      reader({
        "cpuacct.usage": "5000000\n",
        "cpuacct.usage_percpu": "2000000 3000000 \n",
        "cpuacct.stat": "user 3\nsystem 2\n",
        "cpu.stat": "nr_periods 1\nnr_throttled 1\nthrottled_time 99\n",
        "memory.usage_in_bytes": "2048\n",
        "memory.max_usage_in_bytes": "4096\n",
        "memory.failcnt": "0\n",
        "memory.limit_in_bytes": "1048576\n",
        "memory.stat": "cache 1\ntotal_inactive_file 512\n",
        "pids.current": "1\n",
        "pids.max": "max\n",
        "blkio.throttle.io_service_bytes_recursive":
          "8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\nTotal 30\n",
      }),
    );
    expect(usage.cpu).to.include({ totalNanos: 5_000_000, userNanos: 30_000_000 });
    expect(usage.cpu.perCpuNanos).to.deep.equal([2_000_000, 3_000_000]);
    expect(usage.cpu.throttledNanos).to.equal(99);
    expect(usage.memory).to.include({ bytes: 2048, highestBytes: 4096, limitBytes: 1_048_576 });
    expect(usage.memory.counters.get("total_inactive_file")).to.equal(512);
    expect(usage.pids).to.deep.equal({ count: 1, limit: undefined });
    expect(usage.blockBytes.map(({ op, value }) => [op, value])).to.deep.equal([
      ["read", 10],
      ["write", 20],
    ]);
  });

  it("a group that is gone has used nothing", () => {
    const usage = readUsage(true, () => "");
    expect(usage.cpu.totalNanos + usage.memory.bytes + usage.pids.count).to.equal(0);
    expect(usage.blockBytes).to.deep.equal([]);
  });
});
