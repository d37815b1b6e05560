import type { OciSeccomp, SeccompArg } from "./oci-spec.ts";

/** Docker's profile format: an OCI filter whose rules may depend on capabilities, architecture and kernel. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly archMap?: readonly {
    readonly architecture: string;
    readonly subArchitectures?: readonly string[] | null;
  }[];
  /** In place of the map. */
  readonly architectures?: readonly string[] | null;
  readonly syscalls: readonly ProfileRule[];
}

interface ProfileRule {
  readonly names?: readonly string[];
  /** The older form, in place of `names`. */
  readonly name?: string;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[] | null;
  readonly includes?: RuleFilter;
  readonly excludes?: RuleFilter;
}

interface RuleFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  /** `major.minor`. */
  readonly minKernel?: string;
}

/** What the profile's conditions are about. */
export interface SeccompFacts {
  readonly capabilities: readonly string[];
  /** As Go spells it: `amd64`. */
  readonly architecture: string;
  /** As uname says: `6.1.0-18-amd64`. */
  readonly kernel: string;
  /** Architectures the kernel cannot run, in libseccomp's spelling: rules for them would only cost time. */
  readonly absentArchitectures: readonly string[];
}

const SCMP_ARCH: Readonly<Record<string, string>> = {
  amd64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
  arm: "SCMP_ARCH_ARM",
  ppc64le: "SCMP_ARCH_PPC64LE",
  riscv64: "SCMP_ARCH_RISCV64",
  s390x: "SCMP_ARCH_S390X",
};

/**
 * The filter for one container: the rules of `profile` whose conditions hold, without the conditions.
 *
 * An architecture that the kernel lacks is left out: each costs 15 ms of libseccomp's time at every start.
 *
 * Source: moby, profiles/seccomp/seccomp_linux.go, setupSeccomp.
 */
export function planSeccomp(profile: SeccompProfile, facts: SeccompFacts): OciSeccomp {
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: architectures(profile, facts),
    syscalls: profile.syscalls.filter((rule) => applies(rule, facts)).map(withoutConditions),
  };
}

function architectures(profile: SeccompProfile, facts: SeccompFacts): string[] {
  const native = SCMP_ARCH[facts.architecture];
  const entry = profile.archMap?.find((candidate) => candidate.architecture === native);
  if (entry === undefined) return [...(profile.architectures ?? [])];
  const others = entry.subArchitectures ?? [];
  return [
    entry.architecture,
    ...others.filter((name) => !facts.absentArchitectures.includes(name)),
  ];
}

function applies(rule: ProfileRule, facts: SeccompFacts): boolean {
  const { includes = {}, excludes = {} } = rule;
  const has = (capability: string) => facts.capabilities.includes(capability);

  if (excludes.caps?.some(has)) return false;
  if (excludes.arches?.includes(facts.architecture)) return false;
  if (excludes.minKernel !== undefined && isAtLeast(facts.kernel, excludes.minKernel)) return false;
  if (includes.caps !== undefined && !includes.caps.every(has)) return false;
  if (includes.arches !== undefined && includes.arches.length > 0)
    if (!includes.arches.includes(facts.architecture)) return false;
  return includes.minKernel === undefined || isAtLeast(facts.kernel, includes.minKernel);
}

function withoutConditions(rule: ProfileRule): OciSeccomp["syscalls"][number] {
  return {
    names: rule.names ?? (rule.name === undefined ? [] : [rule.name]),
    action: rule.action,
    ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    ...(rule.args && rule.args.length > 0 ? { args: rule.args } : {}),
  };
}

/** Compares `major.minor`; what comes after does not count. */
function isAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
