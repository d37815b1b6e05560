import { expect } from "chai";
import { usageRow, type WireStats } from "./usage.ts";

describe("cli: a row of stats", () => {
  const cpu = (used: number, system: number) => ({
    cpu_usage: { total_usage: used },
    system_cpu_usage: system,
    online_cpus: 2,
  });
  const stats: WireStats = {
    name: "/web",
    id: "0123456789abcdef",
    cpu_stats: cpu(1500, 4000),
    precpu_stats: cpu(1000, 2000),
    memory_stats: { usage: 3_145_728, limit: 1_073_741_824, stats: { inactive_file: 1_048_576 } },
    pids_stats: { current: 3 },
    blkio_stats: {
      io_service_bytes_recursive: [
        { op: "Read", value: 1000 },
        { op: "write", value: 2000 },
        { op: "Total", value: 3000 },
      ],
    },
    networks: { eth0: { rx_bytes: 1200, tx_bytes: 10 }, eth1: { rx_bytes: 100, tx_bytes: 1 } },
  };

  it("is computed as Docker does", () => {
    expect(usageRow(stats, true)).to.deep.equal({
      Container: "web",
      Name: "web",
      ID: "0123456789ab",
      CPUPerc: "50.00%",
      MemUsage: "2MiB / 1GiB",
      MemPerc: "0.20%",
      NetIO: "1.3kB / 11B",
      BlockIO: "1kB / 2kB",
      PIDs: "3",
    });
  });

  it("takes version 1's count of the cache", () => {
    const old = { total_inactive_file: 2_097_152, inactive_file: 0 };
    const memory_stats = { ...stats.memory_stats, stats: old };
    expect(usageRow({ ...stats, memory_stats }, true).MemUsage).to.equal("1MiB / 1GiB");
  });

  it("has no share of the processors before there are two moments", () => {
    const precpu_stats = { cpu_usage: { total_usage: 0 } };
    expect(usageRow({ ...stats, precpu_stats }, false)).to.include({
      CPUPerc: "0.00%",
      ID: "0123456789abcdef",
    });
  });

  it("is zeros for one that does not run", () => {
    const nothing = { cpu_usage: { total_usage: 0 } };
    const stopped: WireStats = {
      ...{ name: "/idle", id: "f", cpu_stats: nothing, precpu_stats: nothing },
      ...{ memory_stats: {}, pids_stats: {}, blkio_stats: { io_service_bytes_recursive: null } },
    };
    expect(usageRow(stopped, true)).to.include({
      ...{ CPUPerc: "0.00%", MemUsage: "0B / 0B", MemPerc: "0.00%", PIDs: "0", NetIO: "0B / 0B" },
    });
  });
});
