import { expect } from "chai";
import { parseNetDev, parseSystemCpu } from "./proc-counters.ts";

describe("stats: numbers of /proc", () => {
  it("the machine's processor time is that of seven columns, in nanoseconds", () => {
    const text = "cpu  1 2 3 4 5 6 7 100 100 100\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n";
    expect(parseSystemCpu(text)).to.deep.equal({ nanos: 280_000_000, cpus: 2 });
  });

  it("an empty text is a machine without time", () => {
    expect(parseSystemCpu("")).to.deep.equal({ nanos: 0, cpus: 0 });
  });

  it("interfaces have their counters, the loopback is left out", () => {
    const head =
      "Inter-|   Receive                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n";
    const lines =
      "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0\n  eth0:12345      10    1    2    0     0          0         0     6789      20    3    4    0     0       0          0\n";
    expect([...parseNetDev(head + lines)]).to.deep.equal([
      [
        "eth0",
        {
          ...{ rxBytes: 12_345, rxPackets: 10, rxErrors: 1, rxDropped: 2 },
          ...{ txBytes: 6789, txPackets: 20, txErrors: 3, txDropped: 4 },
        },
      ],
    ]);
  });
});
