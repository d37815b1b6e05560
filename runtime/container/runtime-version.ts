/** The first with the repairs of 2025 (CVE-2025-31133, -52565, -52881). Debian's own patches do not show in the number. */
const SAFE_RUNC = [1, 2, 8] as const;

/** mount_setattr(2) came with it. */
const KERNEL_WITH_RRO = [5, 12] as const;
/** The first versions that know the mount option `rro`. */
const RUNTIMES_WITH_RRO: Readonly<Record<string, readonly number[]>> = {
  runc: [1, 1],
  crun: [1, 4],
};

/** What a program is, as it says itself. */
export interface ProgramVersion {
  /** Of its file. */
  readonly name: string;
  readonly version: string;
  /** Empty when it does not say. */
  readonly commit: string;
}

/** Reads what `--version` prints: runc, crun, conmon and inits have the same two words. */
export function parseVersion(output: string): Pick<ProgramVersion, "version" | "commit"> {
  const [, commit = ""] = /(?:commit: | - git\.)(\S+)/.exec(output) ?? [];
  const [, version = ""] = /version ([0-9]\S*)/.exec(output) ?? [];
  return { version, commit: commit === "unknown" ? "" : commit };
}

/** Whether a mount can be made read-only with all that is mounted below it. */
export function canReadOnlyBelow(
  runtime: { readonly name: string; readonly version: string },
  kernel: string,
): boolean {
  const first = RUNTIMES_WITH_RRO[runtime.name];
  return (
    first !== undefined && isAtLeast(runtime.version, first) && isAtLeast(kernel, KERNEL_WITH_RRO)
  );
}

/** Whether a runc of this version, as it prints it itself, may lack known security repairs. */
export function isOldRunc(version: string): boolean {
  return !isAtLeast(version, SAFE_RUNC);
}

function isAtLeast(version: string, wanted: readonly number[]): boolean {
  const numbers = version.split(/[.+~-]/).map(Number);
  for (const [place, least] of wanted.entries()) {
    const number = numbers[place] ?? 0;
    if (number !== least) return number > least;
  }
  return true;
}
