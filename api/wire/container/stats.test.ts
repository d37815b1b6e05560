import { expect } from "chai";
import type { UsageSample } from "../../backends/container-usage.ts";
import { writeStats } from "./stats.ts";

const MACHINE_BYTES = 8 * 1024 ** 3;

function sample(changes: Partial<UsageSample> = {}): UsageSample {
  const counters = {
    ...{ rxBytes: 1, rxPackets: 2, rxErrors: 3, rxDropped: 4 },
    ...{ txBytes: 5, txPackets: 6, txErrors: 7, txDropped: 8 },
  };
  return {
    atMs: 1_700_000_001_000,
    systemCpuNanos: 4_000_000_000,
    onlineCpus: 2,
    machineMemoryBytes: MACHINE_BYTES,
    cpu: {
      ...{ totalNanos: 500, userNanos: 300, kernelNanos: 200, perCpuNanos: [] },
      ...{ periods: 0, throttledPeriods: 0, throttledNanos: 0 },
    },
    memory: {
      bytes: 2000,
      highestBytes: undefined,
      failures: undefined,
      limitBytes: undefined,
      counters: new Map([["inactive_file", 500]]),
    },
    pids: { count: 1, limit: undefined },
    blockBytes: [{ major: 8, minor: 0, op: "read", value: 10 }],
    blockOperations: [],
    interfaces: new Map([["eth0", counters]]),
    ...changes,
  };
}

describe("wire: stats of containers", () => {
  const named = { id: "abc", name: "web" };

  it("have what clients compute percentages from", () => {
    const previous = sample({ atMs: 1_700_000_000_000, systemCpuNanos: 2_000_000_000 });
    const stats = writeStats(named, { current: sample(), previous });
    expect(stats).to.deep.include({
      id: "abc",
      name: "/web",
      read: "2023-11-14T22:13:21.000Z",
      preread: "2023-11-14T22:13:20.000Z",
      pids_stats: { current: 1 },
      memory_stats: { usage: 2000, stats: { inactive_file: 500 }, limit: MACHINE_BYTES },
    });
    expect(stats.cpu_stats).to.deep.include({ system_cpu_usage: 4_000_000_000, online_cpus: 2 });
    expect(stats.precpu_stats).to.deep.include({ system_cpu_usage: 2_000_000_000 });
    expect(stats.blkio_stats).to.deep.include({
      io_service_bytes_recursive: [{ major: 8, minor: 0, op: "read", value: 10 }],
    });
    expect(stats.networks).to.have.nested.property("eth0.tx_dropped", 8);
  });

  it("no limit can be greater than the machine", () => {
    const { memory } = sample();
    const limitOf = (limitBytes: number) => {
      const current = sample({ memory: { ...memory, limitBytes } });
      return (writeStats(named, { current, previous: undefined }).memory_stats as { limit: number })
        .limit;
    };
    expect(limitOf(2 ** 63)).to.equal(MACHINE_BYTES);
    expect(limitOf(1000)).to.equal(1000);
  });

  it("are zeros when it does not run", () => {
    const stats = writeStats(named, { current: undefined, previous: undefined });
    expect(stats).to.deep.include({
      read: "0001-01-01T00:00:00Z",
      memory_stats: {},
      pids_stats: {},
    });
    expect(stats).not.to.have.property("networks");
    expect(stats.cpu_stats).not.to.have.property("system_cpu_usage");
  });
});
