import { ClusterError } from "../../../core/errors.ts";
import type { SecuritySettings } from "../settings.ts";
import { holdsCapability, planCapabilities } from "./capabilities.ts";
import type { OciSeccomp } from "./oci-spec.ts";
import { planSeccomp, type SeccompFacts, type SeccompProfile } from "./seccomp.ts";

/** Source: moby, daemon/pkg/oci/defaults.go. */
const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
const PATHS_MAX = 1000;
const UNCONFINED = "unconfined";

/** What keeps a container's root from being the machine's. */
export interface Confinement {
  readonly capabilities: readonly string[];
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** Empty: none. */
  readonly apparmorProfile: string;
  readonly seccomp: OciSeccomp | undefined;
}

/**
 * Plans how a container is confined; one with privileges is not.
 *
 * @param standard the filter for who asks for no other; undefined: the kernel has none.
 * @throws {ClusterError} InvalidArgument for an unknown capability, a path that is not absolute, a profile that is none.
 */
export function planConfinement(
  config: {
    readonly security: SecuritySettings;
    readonly capAdd: readonly string[];
    readonly capDrop: readonly string[];
  },
  standard: SeccompProfile | undefined,
  facts: Omit<SeccompFacts, "capabilities"> & {
    readonly ownCapabilities: string;
    readonly hasApparmor: boolean;
  },
): Confinement {
  const { security } = config;
  const { privileged } = security;
  const capabilities = planCapabilities(
    privileged ? ["ALL"] : config.capAdd,
    config.capDrop,
    (name) => holdsCapability(facts.ownCapabilities, name),
  );
  // Who asks for one where there are none has been warned.
  const isUsed = facts.hasApparmor && security.apparmor !== UNCONFINED;
  const shown = shownPaths(security);
  const unfiltered = privileged && security.seccomp === "";
  const profile = unfiltered ? undefined : chooseProfile(security.seccomp, standard);
  return {
    capabilities,
    maskedPaths: checkPaths(shown.maskedPaths ?? []),
    readonlyPaths: checkPaths(shown.readonlyPaths ?? []),
    apparmorProfile: isUsed ? security.apparmor : "",
    seccomp: profile && planSeccomp(profile, { ...facts, capabilities }),
  };
}

/** What a container does not see and what it cannot write to; undefined: it may do all and nobody said otherwise. */
export function shownPaths({ privileged, maskedPaths, readonlyPaths }: SecuritySettings): {
  readonly maskedPaths: readonly string[] | undefined;
  readonly readonlyPaths: readonly string[] | undefined;
} {
  return {
    maskedPaths: maskedPaths ?? (privileged ? undefined : MASKED_PATHS),
    readonlyPaths: readonlyPaths ?? (privileged ? undefined : READONLY_PATHS),
  };
}

function chooseProfile(
  asked: string,
  standard: SeccompProfile | undefined,
): SeccompProfile | undefined {
  if (asked === "") return standard;
  return asked === UNCONFINED ? undefined : parseSeccomp(asked);
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
export function parseSeccomp(text: string): SeccompProfile {
  let profile: unknown;
  try {
    profile = JSON.parse(text);
  } catch (cause) {
    throw badProfile((cause as Error).message, cause);
  }
  if (typeof profile !== "object" || profile === null) throw badProfile("it is no JSON object");
  if (!("defaultAction" in profile) || typeof profile.defaultAction !== "string")
    throw badProfile("it has no defaultAction");
  const { syscalls = [] } = profile as Partial<SeccompProfile>;
  if (!Array.isArray(syscalls)) throw badProfile("syscalls must be a list");
  for (const rule of syscalls as readonly unknown[]) checkRule(rule);
  return { ...profile, syscalls } as SeccompProfile;
}

function checkRule(rule: unknown): void {
  if (typeof rule !== "object" || rule === null) throw badProfile("a rule must be an object");
  const { names, name, action } = rule as Record<string, unknown>;
  const named = typeof name === "string" || (Array.isArray(names) && names.every(isString));
  if (!named || !isString(action)) throw badProfile("a rule needs names and an action");
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function checkPaths(paths: readonly string[]): readonly string[] {
  const isBad = (path: string) => !path.startsWith("/") || path.includes("\0");
  const bad = paths.length > PATHS_MAX ? `${paths.length} of them` : paths.find(isBad);
  if (bad === undefined) return paths;
  throw new ClusterError(
    "InvalidArgument",
    `invalid masked or read-only path ${JSON.stringify(bad.slice(0, 200))}: want absolute ones`,
  );
}

function badProfile(reason: string, cause?: unknown): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `decoding seccomp profile failed: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}
