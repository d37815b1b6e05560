import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { DEFAULT_SETTINGS } from "../settings.ts";
import type { PreparedMount } from "../types.ts";
import { holdsCapability, planCapabilities } from "./capabilities.ts";
import { planCommand } from "./command.ts";
import { planWorkdir } from "./container-path.ts";
import { planEnvironment } from "./environment.ts";
import { planMounts } from "./mounts.ts";
import { planRlimits } from "./rlimits.ts";
import { planSysctls } from "./sysctls.ts";
import { planUser } from "./user.ts";

const NONE = { ...DEFAULT_SETTINGS, network: { kind: "none" } } as const;
const HOST = { ...DEFAULT_SETTINGS, network: { kind: "host" } } as const;
const refused = (work: () => unknown, message: RegExp) =>
  expect(work).to.throw(ClusterError, message).with.property("code", "InvalidArgument");

describe("spec: capabilities", () => {
  it("are fourteen by default", () => expect(planCapabilities([], [])).to.have.length(14));
  it("can be added and dropped, with or without CAP_, in any case", () => {
    const planned = planCapabilities(["net_admin", "CAP_NET_ADMIN"], ["Chown"]);
    expect(planned).to.have.length(14).and.include("CAP_NET_ADMIN").and.not.include("CAP_CHOWN");
  });
  it("can be all but some, or only some", () => {
    expect(planCapabilities(["ALL"], ["SYS_ADMIN"])).to.have.length(40);
    expect(planCapabilities(["KILL"], ["all"])).to.deep.equal(["CAP_KILL"]);
  });
  it("stand for no more than we have ourselves when they are all", () =>
    expect(planCapabilities(["ALL"], [], (name) => holdsCapability("1fffeffffff", name)))
      .to.have.length(40)
      .and.not.include("CAP_SYS_RESOURCE"));
  it("must exist", () => {
    refused(() => planCapabilities(["FLY"], []), /^invalid CapAdd: unknown capability: "CAP_FLY"$/);
    refused(() => planCapabilities([], ["FLY"]), /^invalid CapDrop: /);
  });
});

describe("spec: command", () => {
  const image = { entrypoint: ["/entry"], cmd: ["a"] };
  const cases = [
    { name: "nothing asked", entrypoint: [], command: [], expected: ["/entry", "a"] },
    { name: "command", entrypoint: [], command: ["b"], expected: ["/entry", "b"] },
    { name: "entrypoint drops cmd", entrypoint: ["/own"], command: [], expected: ["/own"] },
    { name: "both", entrypoint: ["/own"], command: ["b"], expected: ["/own", "b"] },
  ];
  for (const { name, entrypoint, command, expected } of cases)
    it(`is entrypoint and command: ${name}`, () =>
      expect(planCommand({ entrypoint, command }, image)).to.deep.equal(expected));
  it("must be something", () =>
    refused(
      () => planCommand({ entrypoint: [], command: [] }, { entrypoint: [], cmd: [] }),
      /no command/,
    ));
});

describe("spec: user", () => {
  const files = {
    passwd: "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/false\nbroken\n",
    group: "root:x:0:\nweb:x:34:\nlogs:x:50:web,other\nbroken\n",
  };
  const cases = [
    { user: "", uid: 0, gid: 0, groups: [0], home: "/root" },
    { user: "web", uid: 33, gid: 34, groups: [34, 50], home: "/srv" },
    { user: "33", uid: 33, gid: 34, groups: [34, 50], home: "/srv" },
    { user: "web:logs", uid: 33, gid: 50, groups: [50], home: "/srv" },
    { user: "1000", uid: 1000, gid: 0, groups: [0], home: "/" },
    { user: "1000:2000", uid: 1000, gid: 2000, groups: [2000], home: "/" },
  ];
  for (const { user, uid, gid, groups, home } of cases)
    it(`${JSON.stringify(user)} is ${uid}:${gid}`, () =>
      expect(planUser(user, [], files)).to.deep.equal({ uid, gid, additionalGids: groups, home }));
  it("takes further groups by name and number, once", () =>
    expect(planUser("web", ["50", "logs", "7"], files).additionalGids).to.deep.equal([34, 50, 7]));
  it("must be in the image when it is a name", () =>
    refused(
      () => planUser("x", [], files),
      /unable to find user x: no matching entries in passwd/,
    ));
  it("is no number the kernel wraps", () =>
    refused(() => planUser("4294967295", [], files), /must be in range 0-2147483647/));
  it("is not below zero", () => refused(() => planUser("-1", [], files), /must be in range/));
});

describe("spec: working directory", () => {
  it("is the container's, else the image's, else the root", () => {
    expect(planWorkdir("/a/./b/../c//", "/x")).to.equal("/a/c");
    expect(planWorkdir("", "/x")).to.equal("/x");
    expect(planWorkdir("", "")).to.equal("/");
  });
  for (const path of [
    "relative",
    "/proc/self/fd/7",
    "/x/../proc/self",
    `/${"a".repeat(5000)}`,
    "/\0",
  ])
    it(`refuses ${JSON.stringify(path.slice(0, 30))}`, () =>
      refused(() => planWorkdir(path, ""), /working directory/));
});

describe("spec: environment", () => {
  it("takes the container's over the image's over the defaults, and removes what has no value", () => {
    const planned = planEnvironment({
      hostname: "h",
      home: "/root",
      tty: true,
      image: ["PATH=/bin", "A=1", "B=2"],
      container: ["A=3=4", "B"],
    });
    expect(planned).to.deep.equal(["PATH=/bin", "HOSTNAME=h", "TERM=xterm", "A=3=4", "HOME=/root"]);
  });
  it("has the container's before what only the image has", () => {
    const sources = { hostname: "h", home: "/", tty: false, image: ["A=1", "B=2"] };
    const planned = planEnvironment({ ...sources, container: ["C=3", "B=4"] });
    expect(planned.slice(2)).to.deep.equal(["C=3", "B=4", "A=1", "HOME=/"]);
  });
});

describe("spec: sysctls", () => {
  it("let an own network serve low ports and ping", () =>
    expect(planSysctls({}, NONE)).to.have.property("net.ipv4.ip_unprivileged_port_start", "0"));
  it("pass what a namespace holds", () =>
    expect(planSysctls({ "kernel.shmmax": "1" }, HOST)).to.deep.equal({
      "kernel.shmmax": "1",
    }));
  for (const [name, value] of [
    ["kernel.core_pattern", "|/x"],
    ["net.ipv4.x", "1+kernel.core_pattern=|/x"],
    ["net.ipv4.x", "1\n2"],
    ["net.ipv4.x=1", ""],
    ["../kernel.panic", "1"],
  ] as const)
    it(`refuse ${JSON.stringify(name)} = ${JSON.stringify(value)}`, () =>
      refused(() => planSysctls({ [name]: value }, NONE), /invalid sysctl/));
  it("refuse the network's on the host's network", () =>
    refused(() => planSysctls({ "net.ipv4.x": "1" }, HOST), /host's network/));
  it("refuse those of shared memory that is not the container's own", () => {
    const shared = { ...NONE, namespaces: { ...NONE.namespaces, ipc: "host" } };
    refused(() => planSysctls({ "kernel.shmmax": "1" }, shared), /shared memory of others/);
  });
  it("set the domain name", () =>
    expect(planSysctls({}, { ...NONE, domainname: "a.b" })).to.have.property(
      "kernel.domainname",
      "a.b",
    ));
});

describe("spec: ulimits", () => {
  it("always bound open files, by what this machine can give", () =>
    expect(planRlimits([], 4096)).to.deep.equal([
      { type: "RLIMIT_NOFILE", soft: 1024, hard: 4096 },
    ]));
  it("take -1 as no limit", () =>
    expect(planRlimits([{ name: "core", soft: 0, hard: -1 }], 4096)[0]).to.deep.equal({
      type: "RLIMIT_CORE",
      soft: 0,
      hard: Number.MAX_SAFE_INTEGER,
    }));
  for (const limit of [
    { name: "files", soft: 1, hard: 1 },
    { name: "core", soft: 2, hard: 1 },
    { name: "core", soft: 0.5, hard: 1 },
    { name: "core", soft: -2, hard: 1 },
    { name: "core", soft: Number.NaN, hard: 1 },
  ])
    it(`refuse ${JSON.stringify(limit)}`, () =>
      refused(() => planRlimits([limit], 4096), /invalid ulimit/));
});

describe("spec: mounts", () => {
  const files = { hostname: "/b/hostname", hosts: "/b/hosts", resolvConf: "/b/resolv.conf" };
  const mount = (changes: Partial<PreparedMount>): PreparedMount => ({
    type: "bind",
    source: "/src",
    hostPath: "/src",
    target: "/data",
    readOnly: false,
    propagation: "",
    tmpfsSizeBytes: 0,
    tmpfsMode: 0,
    noCopy: false,
    ...changes,
  });
  const planOn = (canReadOnlyBelow: boolean, ...mounts: PreparedMount[]) =>
    planMounts({
      config: { ...DEFAULT_SETTINGS, readOnlyRootfs: false },
      mounts,
      files,
      initPath: "",
      shm: { kind: "own", sizeBytes: 4096 },
      host: { canReadOnlyBelow },
    });
  const plan = (...mounts: PreparedMount[]) => planOn(true, ...mounts);
  const at = (target: string, ...mounts: PreparedMount[]) =>
    plan(...mounts).find(({ destination }) => destination === target);

  it("of a bind is private and keeps what is below", () =>
    expect(at("/data", mount({ readOnly: true }))).to.deep.equal({
      destination: "/data",
      type: "bind",
      source: "/src",
      options: ["rbind", "rprivate", "ro", "rro"],
    }));
  it("of files of ours is read-only with the root file system", () => {
    const optionsOf = (readOnlyRootfs: boolean) =>
      planMounts({
        config: { ...DEFAULT_SETTINGS, readOnlyRootfs },
        mounts: [],
        files,
        initPath: "",
        shm: { kind: "none" },
        host: { canReadOnlyBelow: true },
      }).find(({ destination }) => destination === "/etc/hosts")?.options;
    expect(optionsOf(true)).to.include("ro").and.not.include("rw");
    expect(optionsOf(false)).to.include("rw").and.not.include("ro");
  });
  it("is read-only as far down as was asked for and can be", () => {
    const optionsOf = (canReadOnlyBelow: boolean, readOnlyDepth?: "top" | "all") =>
      planOn(canReadOnlyBelow, mount({ readOnly: true, readOnlyDepth })).find(
        ({ destination }) => destination === "/data",
      )?.options;
    expect(optionsOf(false)).to.include("ro").and.not.include("rro");
    expect(optionsOf(true, "top")).to.not.include("rro");
    expect(optionsOf(true, "all")).to.include("rro");
    refused(() => optionsOf(false, "all"), /cannot be read-only with what is mounted below/);
  });
  it("of a file is read-only without looking below, whatever was asked for", () => {
    for (const readOnlyDepth of [undefined, "all"] as const)
      expect(
        at("/data", mount({ readOnly: true, readOnlyDepth, isFile: true }))?.options,
      ).to.deep.equal(["rbind", "rprivate", "ro"]);
  });
  it("that leaves out what is below says nothing of it in its propagation either", () =>
    expect(
      at("/data", mount({ nonRecursive: true, propagation: "rslave" }))?.options,
    ).to.deep.equal(["bind", "slave", "rw"]));
  it("of a tmpfs has its size and mode", () =>
    expect(
      at("/t", mount({ type: "tmpfs", target: "/t", tmpfsSizeBytes: 10 }))?.options,
    ).to.include.members(["size=10", "mode=1777", "nosuid", "noexec"]));
  it("asked for replaces what would be there", () =>
    expect(at("/etc/hosts", mount({ target: "/etc/hosts" }))?.source).to.equal("/src"));
  it("comes after those it is inside of", () => {
    const targets = plan(mount({ target: "/a/b/c" }), mount({ target: "/a/b" })).map(
      ({ destination }) => destination,
    );
    expect(targets.indexOf("/a/b")).to.be.lessThan(targets.indexOf("/a/b/c"));
  });
  it("refuses the root, a relative path, the same target twice, an unknown propagation", () => {
    refused(() => plan(mount({ target: "/x/.." })), /destination can't be '\/'/);
    refused(() => plan(mount({ target: "x" })), /not absolute/);
    refused(() => plan(mount({}), mount({ target: "/data/" })), /twice/);
    refused(() => plan(mount({ propagation: "public" })), /public/);
  });
});
