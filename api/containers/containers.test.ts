import { expect } from "chai";
import { seededRandom } from "../../core/random.ts";
import type { ResourceLimits } from "../backends/container-settings.ts";
import type { MachineAbilities } from "../backends/containers.ts";
import { JsonReader } from "../http/json-reader.ts";
import { amendLimits, readLimits } from "../wire/container/resources.ts";
import { checkLimits, checkUpdate, findUpdateConflict } from "./check-limits.ts";
import { randomName } from "./random-name.ts";
import { describeDuration } from "./state.ts";
import { fitLimits } from "./warnings.ts";

const NONE = readLimits(new JsonReader({}, "HostConfig"));
const ABLE: MachineAbilities = {
  memory: true,
  swap: true,
  memoryReservation: true,
  swappiness: true,
  oomKillDisable: true,
  cpuShares: true,
  cpuQuota: true,
  cpuRealtime: true,
  cpuset: true,
  pids: true,
  blkioWeight: true,
  blkioRates: true,
  apparmor: true,
  cpus: 2,
  memoryNodes: "0",
  cgroupKind: "v2",
  runtimes: ["runc"],
};

describe("containers: how long ago", () => {
  const SECOND = 1000;
  const HOUR = 3600 * SECOND;
  const cases = [
    [500, "Less than a second"],
    [SECOND, "1 second"],
    [59 * SECOND, "59 seconds"],
    [60 * SECOND, "About a minute"],
    [5 * 60 * SECOND, "5 minutes"],
    [HOUR, "About an hour"],
    [1.6 * HOUR, "2 hours"],
    [47 * HOUR, "47 hours"],
    [48 * HOUR, "2 days"],
    [15 * 24 * HOUR, "2 weeks"],
    [70 * 24 * HOUR, "2 months"],
    [800 * 24 * HOUR, "2 years"],
  ] as const;
  for (const [ms, said] of cases)
    it(`${ms} ms is ${said}`, () => expect(describeDuration(ms)).to.equal(said));
});

describe("containers: limits", () => {
  it("that the kernel keeps stay as they are", () => {
    const limits: ResourceLimits = { ...NONE, memoryBytes: 2 ** 25, blkioWeight: 300 };
    expect(fitLimits(limits, ABLE)).to.deep.equal({ limits, warnings: [] });
  });
  it("that it cannot keep are dropped with Docker's warning, one for each", () => {
    const limits: ResourceLimits = { ...NONE, memoryBytes: 2 ** 25, blkioWeight: 300, pids: 5 };
    const unable = { ...ABLE, swap: false, blkioWeight: false, pids: false };
    const fitted = fitLimits(limits, unable);
    expect(fitted.limits).to.include({ memoryBytes: 2 ** 25, blkioWeight: 0, pids: 0 });
    expect(fitted.warnings.map((warning) => warning.slice(0, 45))).to.deep.equal([
      "Your kernel does not support swap limit capab",
      "Your kernel does not support PIDs limit capab",
      "Your kernel does not support Block I/O weight",
    ]);
  });
  it("of an update replace what they name and no more", () => {
    const before: ResourceLimits = { ...NONE, memoryBytes: 2 ** 25, pids: 9 };
    const amend = (body: object) => amendLimits(new JsonReader(body, "Body"), before);
    expect(amend({ Memory: 2 ** 24, MemorySwap: 0 })).to.deep.equal({
      ...before,
      memoryBytes: 2 ** 24,
      memorySwapBytes: 2 ** 26,
    });
    expect(amend({ PidsLimit: -1 }).pids).to.equal(0);
    expect(amend({ PidsLimit: 0 }).pids).to.equal(9);
    expect(amend({ NanoCpus: 1e9 })).to.include({ nanoCpus: 1e9 });
  });
  it("of an update must go together with what there is", () => {
    const memory = { ...NONE, memoryBytes: 2 ** 25 };
    const ofMemory = (asked: Partial<ResourceLimits>) =>
      findUpdateConflict({ ...NONE, ...asked }, memory);
    expect(ofMemory({ memoryBytes: 2 ** 26 })).to.equal(undefined);
    expect(ofMemory({ memoryBytes: 2 ** 27 })).to.contain("already set memoryswap limit");
    expect(ofMemory({ memoryBytes: 2 ** 27, memorySwapBytes: -1 })).to.equal(undefined);
    const unlimited = { ...memory, memorySwapBytes: -1 };
    expect(findUpdateConflict({ ...NONE, cpuShares: 9 }, unlimited)).to.equal(undefined);
    const cpu = findUpdateConflict({ ...NONE, cpuQuotaUs: 5000 }, { ...NONE, nanoCpus: 1e9 });
    expect(cpu).to.contain("CPU Quota cannot be updated as NanoCPUs has already been set");
    const period = () => checkUpdate({ ...NONE, cpuPeriodUs: 5, memorySwapBytes: 7 }, ABLE);
    expect(period).to.throw("CPU cfs period can not be less");
  });
});

describe("containers: limits that cannot be", () => {
  const cases: { limits: Partial<ResourceLimits>; says: string }[] = [
    { limits: { memoryBytes: 5e6 }, says: "Minimum memory limit allowed is 6MB" },
    { limits: { memorySwapBytes: 1e8 }, says: "You should always set the Memory limit" },
    { limits: { memoryBytes: 1e8, memorySwapBytes: 1e7 }, says: "Minimum memoryswap limit" },
    { limits: { memorySwappiness: 101 }, says: "valid memory swappiness range is 0-100" },
    { limits: { memoryReservationBytes: 1 }, says: "Minimum memory reservation allowed is 6MB" },
    { limits: { memoryBytes: 1e7, memoryReservationBytes: 2e7 }, says: "less than memory reserv" },
    { limits: { nanoCpus: 3e9 }, says: "range of CPUs is from 0.01 to 2.00" },
    { limits: { nanoCpus: 1e9, cpuPeriodUs: 1000 }, says: "Nano CPUs and CPU Period cannot" },
    { limits: { nanoCpus: 1e9, cpuQuotaUs: 1000 }, says: "Nano CPUs and CPU Quota cannot" },
    { limits: { cpuPeriodUs: 999 }, says: "CPU cfs period can not be less than 1ms" },
    { limits: { cpuQuotaUs: 999 }, says: "CPU cfs quota can not be less than 1ms" },
    { limits: { cpuShares: -1 }, says: "invalid CPU shares (-1): value must be a positive" },
    { limits: { blkioWeight: 9 }, says: "Range of blkio weight is from 10 to 1000" },
    { limits: { cpusetCpus: "0-2" }, says: "requested 0-2, available: 0-1" },
    { limits: { cpusetCpus: "x" }, says: "Invalid value x for cpuset cpus: invalid format: x" },
    { limits: { cpusetCpus: "1-0" }, says: "for cpuset cpus: invalid format: 1-0" },
    { limits: { cpusetCpus: "0,," }, says: "for cpuset cpus: invalid format: 0,," },
    {
      limits: { cpusetMems: "7" },
      says: "Requested memory nodes are not available - requested 7, available: 0",
    },
    {
      limits: { cpusetMems: "0-99999999" },
      says: "for cpuset mems: value of out range, maximum is 8192",
    },
  ];
  for (const { limits, says } of cases)
    it(`are refused: ${JSON.stringify(limits)}`, () =>
      expect(() => checkLimits({ ...NONE, ...limits }, ABLE)).to.throw(says));
  it("but not those that can", () =>
    expect(() =>
      checkLimits({ ...NONE, nanoCpus: 2e9, cpusetCpus: "0,1", cpusetMems: "0" }, ABLE),
    ).to.not.throw());
});

describe("containers: names at random", () => {
  it("are two words, with a digit from the second try on", () => {
    const random = seededRandom(1);
    expect(randomName(random, 0)).to.match(/^[a-z]+_[a-z]+$/);
    expect(randomName(random, 1)).to.match(/^[a-z]+_[a-z]+\d$/);
  });
});
