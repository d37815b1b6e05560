import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { NO_LIMITS } from "../container/settings.ts";
import { parseKeyed, parseNumber, parseOomKills } from "./counters.ts";
import { allDirs, findCgroupLayout, findControllerDir, findOwnDir, joinDirs } from "./layout.ts";
import { planResources } from "./resources.ts";
import { fittingRuntimes } from "./runtime-choice.ts";
import { strayControllers } from "./stray-controllers.ts";

const V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
const V1 = [
  "31 24 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw",
  "32 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct",
  "33 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
  "34 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset",
  "35 31 0:31 / /sys/fs/cgroup/my\\040systemd rw - cgroup cgroup rw,xattr,name=systemd",
].join("\n");
const UNIFIED = "36 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";

function layoutOf(mountinfo: string) {
  const layout = findCgroupLayout(mountinfo);
  if (layout === undefined) throw new Error("no layout found");
  return layout;
}

describe("cgroup: layout", () => {
  const cases = [
    { name: "version 2 alone", mountinfo: V2, kind: "v2", memory: "/sys/fs/cgroup/g" },
    { name: "version 1 alone", mountinfo: V1, kind: "v1", memory: "/sys/fs/cgroup/memory/g" },
    {
      name: "both",
      mountinfo: `${V1}\n${UNIFIED}`,
      kind: "hybrid",
      memory: "/sys/fs/cgroup/memory/g",
    },
  ];
  for (const { name, mountinfo, kind, memory } of cases)
    it(`is read from the mounts: ${name}`, () => {
      const layout = layoutOf(mountinfo);
      expect(layout.kind).to.equal(kind);
      expect(findControllerDir(layout, "memory", "/g")).to.equal(memory);
    });
  it("is none when nothing is mounted", () => expect(findCgroupLayout("")).to.equal(undefined));
  it("counts hierarchies, not controllers, and unescapes paths", () =>
    expect(allDirs(layoutOf(`${V1}\n${UNIFIED}`), "/g")).to.deep.equal([
      "/sys/fs/cgroup/cpu,cpuacct/g",
      "/sys/fs/cgroup/memory/g",
      "/sys/fs/cgroup/cpuset/g",
      "/sys/fs/cgroup/my systemd/g",
      "/sys/fs/cgroup/unified/g",
    ]));
  it("has processes put where they are accounted, once a hierarchy, and into no fresh cpuset", () => {
    expect(joinDirs(layoutOf(V1), "/g")).to.deep.equal([
      "/sys/fs/cgroup/cpu,cpuacct/g",
      "/sys/fs/cgroup/memory/g",
      "/sys/fs/cgroup/my systemd/g",
    ]);
    expect(joinDirs(layoutOf(V2), "/g")).to.deep.equal(["/sys/fs/cgroup/g"]);
  });
  for (const { what, mountinfo, memberships, dir } of [
    { what: "version 2", mountinfo: V2, memberships: "0::/a/b\n", dir: "/sys/fs/cgroup/a/b" },
    {
      what: "version 2 of both",
      mountinfo: `${V1}\n${UNIFIED}`,
      memberships: "4:memory:/m\n0::/\n",
      dir: "/sys/fs/cgroup/unified",
    },
    {
      what: "version 1 alone",
      mountinfo: V1,
      memberships: "9:pids:/p\n3:cpu,cpuacct:/c\n0::/u\n",
      dir: "/sys/fs/cgroup/cpu,cpuacct/c",
    },
    { what: "nothing that is mounted", mountinfo: V1, memberships: "9:pids:/p\n", dir: undefined },
    { what: "no text", mountinfo: V2, memberships: "", dir: undefined },
  ])
    it(`find our own group in ${what}`, () =>
      expect(findOwnDir(layoutOf(mountinfo), memberships)).to.equal(dir));
});

describe("cgroup: resources", () => {
  const none = NO_LIMITS;
  it("are empty without limits", () => expect(planResources(none, true)).to.deep.equal({}));
  it("turn billionths of a processor into a quota, never below the kernel's least", () => {
    const quotaOf = (nanoCpus: number) => planResources({ ...none, nanoCpus }, true).cpu?.quota;
    expect(quotaOf(1.5e9)).to.equal(150_000);
    expect(quotaOf(1)).to.equal(1000);
  });
  it("keep CPU shares within what the kernel takes", () => {
    const sharesOf = (cpuShares: number) => planResources({ ...none, cpuShares }, true).cpu?.shares;
    expect([1, 99, 1e6].map(sharesOf)).to.deep.equal([2, 99, 262_144]);
  });
  it("let swap be as much again as memory, where the kernel can tell", () => {
    const limits = { ...none, memoryBytes: 2 ** 24 };
    expect(planResources(limits, true).memory).to.deep.equal({ limit: 2 ** 24, swap: 2 ** 25 });
    expect(planResources(limits, false).memory).to.deep.equal({ limit: 2 ** 24 });
  });
  for (const limits of [
    { ...none, nanoCpus: -1 },
    { ...none, nanoCpus: 0.5 },
    { ...none, nanoCpus: Number.POSITIVE_INFINITY },
    { ...none, memoryBytes: 1024 },
    { ...none, memoryBytes: 2 ** 53 },
    { ...none, memoryBytes: Number.NaN },
    { ...none, pids: -1 },
    { ...none, pids: 2 ** 23 },
  ])
    it(`refuse ${JSON.stringify([limits.nanoCpus, limits.memoryBytes, limits.pids].map(String))}`, () =>
      expect(() => planResources(limits, true))
        .to.throw(ClusterError, /invalid/)
        .with.property("code", "InvalidArgument"));
});

describe("cgroup: choice of the runtime", () => {
  const cases = [
    { kind: "v2", controllers: "cpu memory", installed: ["crun", "runc"], fitting: "crun runc" },
    { kind: "v2", controllers: "cpu memory", installed: ["runc"], fitting: "runc" },
    { kind: "hybrid", controllers: "", installed: ["runc", "crun"], fitting: "crun runc" },
    { kind: "hybrid", controllers: "hugetlb", installed: ["crun", "runc"], fitting: "runc" },
    { kind: "hybrid", controllers: "hugetlb", installed: ["crun"], fitting: "" },
    { kind: "v1", controllers: "", installed: ["crun", "runc"], fitting: "crun runc" },
    { kind: "v2", controllers: "cpu", installed: [], fitting: "" },
  ] as const;
  for (const { kind, controllers, installed, fitting } of cases)
    it(`${kind} (${controllers}) with ${installed.join(" and ") || "none"}: ${fitting || "none"}`, () =>
      expect(fittingRuntimes(kind, controllers, new Set(installed)).join(" ")).to.equal(fitting));
});

describe("cgroup: stray controllers", () => {
  const cases = [
    { what: "one that nobody uses", controllers: "hugetlb", delegated: "", strays: ["hugetlb"] },
    {
      what: "one of another name",
      controllers: "io rdma\n",
      delegated: "\n",
      strays: ["blkio", "rdma"],
    },
    {
      what: "none where version 2 is in use",
      controllers: "hugetlb",
      delegated: "hugetlb",
      strays: [],
    },
    { what: "none that version 1 has", controllers: "cpu", delegated: "", strays: [] },
    { what: "none that version 1 never had", controllers: "dmem", delegated: "", strays: [] },
    { what: "none at all", controllers: "\n", delegated: "", strays: [] },
  ];
  const hybrid = layoutOf(`${V1}\n${UNIFIED}`);
  for (const { what, controllers, delegated, strays } of cases)
    it(`are ${what}`, () =>
      expect(strayControllers(hybrid, controllers, delegated)).to.deep.equal(strays));
  it("are none but in a hybrid layout", () =>
    expect(strayControllers(layoutOf(V2), "hugetlb", "")).to.deep.equal([]));
  it("that we have mounted are told from others", () => {
    const ours = "37 31 0:33 / /sys/fs/cgroup/hugetlb rw - cgroup muster rw,hugetlb";
    expect(layoutOf(`${V1}\n${ours}\n${UNIFIED}`).added).to.deep.equal(["hugetlb"]);
  });
});

describe("cgroup: counters", () => {
  it("read both versions' kills for want of memory", () => {
    expect(parseOomKills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")).to.equal(2);
    expect(parseOomKills("low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\noom_group_kill 0\n")).to.equal(
      1,
    );
    expect(parseOomKills("")).to.equal(0);
  });
  it("read times and numbers", () => {
    expect([...parseKeyed("usage_usec 12\nuser_usec 3\nodd\n")]).to.deep.equal([
      ["usage_usec", 12],
      ["user_usec", 3],
    ]);
    expect(parseNumber("42\n")).to.equal(42);
    expect(parseNumber("max\n")).to.equal(undefined);
  });
});
