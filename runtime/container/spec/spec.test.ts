import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { containerConfig } from "../../../test/support/runtime/container-config.ts";
import type { ContainerConfig } from "../types.ts";
import { SHM_SIZE_BYTES } from "./mounts.ts";
import { cgroupModeOf } from "./namespaces.ts";
import { planSpec, type SpecInput } from "./spec.ts";

const GOLDEN = new URL("./testdata/default-spec.json", import.meta.url);

function input(changes: Partial<ContainerConfig>, more: Partial<SpecInput> = {}): SpecInput {
  return {
    config: containerConfig(changes),
    image: { entrypoint: [], cmd: ["sh"], env: ["LANG=C"], workdir: "" },
    hostname: "0123456789ab",
    user: { uid: 0, gid: 0, additionalGids: [], home: "/root" },
    rootfs: "/data/rootfs",
    mounts: [],
    files: { hostname: "/b/hostname", hosts: "/b/hosts", resolvConf: "/b/resolv.conf" },
    initPath: "",
    cgroupsPath: "/muster/key/id",
    devices: [],
    edits: { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] },
    deviceNumbers: () => undefined,
    joined: {},
    shm: { kind: "own", sizeBytes: SHM_SIZE_BYTES },
    host: {
      cgroupKind: "v2",
      canLimitSwap: true,
      nofileMax: 1_000_000,
      architecture: "amd64",
      kernel: "6.1.0",
      absentArchitectures: [],
      ownCapabilities: "1ffffffffff",
      canReadOnlyBelow: true,
      hasApparmor: true,
      seccomp: undefined,
    },
    ...more,
  };
}

describe("spec", () => {
  it("of a container without wishes has Docker's defaults", () => {
    const spec = planSpec(input({}));
    if (process.env.REWRITE === "1") writeFileSync(GOLDEN, JSON.stringify(spec, undefined, 2));
    expect(spec).to.deep.equal(JSON.parse(readFileSync(GOLDEN, "utf8")));
  });

  it("never has an inheritable or ambient capability, and none in effect without root", () => {
    const user = { uid: 33, gid: 33, additionalGids: [], home: "/" };
    const { capabilities } = planSpec(input({}, { user })).process;
    expect(capabilities).to.have.all.keys("bounding", "effective", "permitted");
    expect(capabilities.effective).to.deep.equal([]);
    expect(capabilities.bounding).to.include("CAP_CHOWN");
  });

  it("joins the network namespace it is given, and makes none on the host's network", () => {
    const networkOf = (network: ContainerConfig["network"]) =>
      planSpec(input({ network })).linux.namespaces.filter(({ type }) => type === "network");
    expect(networkOf({ kind: "host" })).to.deep.equal([]);
    expect(networkOf({ kind: "none" })).to.deep.equal([{ type: "network" }]);
    expect(networkOf({ kind: "namespace", path: "/run/n" })).to.deep.equal([
      { type: "network", path: "/run/n" },
    ]);
  });

  for (const [cgroupKind, cgroup, privileged, expected] of [
    ["v2", "", false, "private"],
    ["v2", "", true, "host"],
    ["v2", "host", false, "host"],
    ["v2", "private", true, "private"],
    ["hybrid", "", false, "host"],
    ["v1", "", false, "host"],
    ["v1", "private", false, "private"],
  ] as const)
    it(`sees its cgroup as ${expected}: ${cgroupKind}, ${cgroup || "not said"}, ${privileged}`, () => {
      const { host, ...spec } = input({});
      const { namespaces, security } = spec.config;
      const config = {
        ...spec.config,
        namespaces: { ...namespaces, cgroup },
        security: { ...security, privileged },
      };
      expect(cgroupModeOf(config, cgroupKind)).to.equal(expected);
      const { linux } = planSpec({ ...spec, config, host: { ...host, cgroupKind } });
      const isOwn = linux.namespaces.some(({ type }) => type === "cgroup");
      expect(isOwn).to.equal(expected === "private");
    });

  it("puts an init program before the container's own", () => {
    const spec = planSpec(input({ command: ["nginx"] }, { initPath: "/usr/bin/docker-init" }));
    expect(spec.process.args).to.deep.equal(["/sbin/docker-init", "--", "nginx"]);
    expect(spec.mounts.find(({ destination }) => destination === "/sbin/docker-init")).to.include({
      source: "/usr/bin/docker-init",
      type: "bind",
    });
  });

  it("keeps the score for the out-of-memory killer in the kernel's range", () => {
    expect(planSpec(input({ oomScoreAdj: -5000 })).process.oomScoreAdj).to.equal(-1000);
    expect(planSpec(input({ oomScoreAdj: 5000 })).process.oomScoreAdj).to.equal(1000);
  });
});
