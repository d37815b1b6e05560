import { ClusterError } from "../../../core/errors.ts";

/** What a container's root may do unless told otherwise. Source: moby, daemon/pkg/oci/caps/defaults.go. */
const DEFAULT_CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
] as const;

/** Every capability of Linux 6, in the kernel's order. */
const ALL_CAPABILITIES: readonly string[] = [
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE",
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN",
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE",
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE",
].flatMap((line) => line.split(" ").map((name) => `CAP_${name}`));

const ALL = "ALL";

/**
 * The capabilities of a container: the default ones without `drop`, with `add`; `ALL` in either stands for all.
 *
 * With `ALL` added, `drop` names the exceptions; with `ALL` dropped, `add` is the whole set.
 *
 * @param isGivable whether we have it ourselves, for nobody can give more than that; asked of what `ALL` stands for.
 * @throws {ClusterError} InvalidArgument for a name the kernel does not know.
 * Source: moby, daemon/pkg/oci/caps/utils.go, TweakCapabilities.
 */
export function planCapabilities(
  add: readonly string[],
  drop: readonly string[],
  isGivable: (name: string) => boolean = () => true,
): string[] {
  const adds = add.map((name) => normalize(name, "CapAdd"));
  const drops = new Set(drop.map((name) => normalize(name, "CapDrop")));
  const added = adds.filter((name) => name !== ALL);

  if (adds.includes(ALL))
    return ALL_CAPABILITIES.filter((name) => !drops.has(name) && isGivable(name));
  if (drops.has(ALL)) return [...new Set(added)];
  return [...new Set([...DEFAULT_CAPABILITIES.filter((name) => !drops.has(name)), ...added])];
}

/** Whether a set of capabilities as the kernel writes it, in hexadecimal, holds one. */
export function holdsCapability(hex: string, name: string): boolean {
  const bit = ALL_CAPABILITIES.indexOf(name);
  return bit !== -1 && ((BigInt(`0x${hex}`) >> BigInt(bit)) & 1n) === 1n;
}

/** `net_admin`, `NET_ADMIN` and `CAP_NET_ADMIN` are the same. */
function normalize(name: string, list: string): string {
  const upper = name.toUpperCase();
  if (upper === ALL) return ALL;
  const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (ALL_CAPABILITIES.includes(full)) return full;
  throw new ClusterError(
    "InvalidArgument",
    `invalid ${list}: unknown capability: ${JSON.stringify(full.slice(0, 100))}`,
  );
}
