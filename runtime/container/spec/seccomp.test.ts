import { expect } from "chai";
import { planSeccomp, type SeccompProfile } from "./seccomp.ts";

const PROFILE: SeccompProfile = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 38,
  archMap: [
    {
      architecture: "SCMP_ARCH_X86_64",
      subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
  ],
  syscalls: [
    { names: ["read", "write"], action: "SCMP_ACT_ALLOW", args: [], includes: {}, excludes: {} },
    {
      names: ["personality"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 8, valueTwo: 0, op: "SCMP_CMP_EQ" }],
    },
    { names: ["mount"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
    {
      names: ["umount"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 1,
      excludes: { caps: ["CAP_SYS_ADMIN"] },
    },
    { names: ["arch_prctl"], action: "SCMP_ACT_ALLOW", includes: { arches: ["amd64", "x32"] } },
    { names: ["ptrace"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "4.8" } },
    { names: ["breakpoint"], action: "SCMP_ACT_ALLOW", excludes: { arches: ["amd64"] } },
  ],
};

describe("seccomp", () => {
  const plan = (
    capabilities: string[],
    architecture = "amd64",
    kernel = "6.1.0-18-amd64",
    absentArchitectures: string[] = [],
  ) => planSeccomp(PROFILE, { capabilities, architecture, kernel, absentArchitectures });
  const names = (...args: Parameters<typeof plan>) =>
    plan(...args).syscalls.flatMap((rule) => rule.names);

  it("keeps rules without conditions and the arguments of rules that have some", () => {
    expect(plan([]).syscalls.slice(0, 2)).to.deep.equal([
      { names: ["read", "write"], action: "SCMP_ACT_ALLOW" },
      {
        names: ["personality"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: 8, valueTwo: 0, op: "SCMP_CMP_EQ" }],
      },
    ]);
  });

  const cases = [
    { name: "capability missing", got: names([]), has: ["umount"], not: ["mount"] },
    {
      name: "capability held",
      got: names(["CAP_SYS_ADMIN"]),
      has: ["mount"],
      not: ["umount"],
    },
    { name: "amd64", got: names([]), has: ["arch_prctl"], not: ["breakpoint"] },
    { name: "arm64", got: names([], "arm64"), has: ["breakpoint"], not: ["arch_prctl"] },
    { name: "old kernel", got: names([], "amd64", "4.7.9"), has: ["read"], not: ["ptrace"] },
    { name: "kernel 4.8", got: names([], "amd64", "4.8"), has: ["ptrace"], not: [] },
  ];
  for (const { name, got, has, not } of cases)
    it(`decides conditions: ${name}`, () => {
      expect(got).to.include.members(has);
      for (const absent of not) expect(got).to.not.include(absent);
    });

  it("covers the machine's architecture with those it can run besides", () => {
    expect(plan([]).architectures).to.deep.equal([
      "SCMP_ARCH_X86_64",
      "SCMP_ARCH_X86",
      "SCMP_ARCH_X32",
    ]);
    expect(plan([], "amd64", "6.1", ["SCMP_ARCH_X32"]).architectures).to.deep.equal([
      "SCMP_ARCH_X86_64",
      "SCMP_ARCH_X86",
    ]);
    expect(plan([], "arm64").architectures).to.deep.equal(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
  });
});
