/** The first with the repairs of 2025 (CVE-2025-31133, -52565, -52881). Debian's own patches do not show in the number. */
const SAFE_RUNC = [1, 2, 8] as const;

/** Whether a runc of this version, as it prints it itself, may lack known security repairs. */
export function isOldRunc(version: string): boolean {
  const numbers = version.split(/[.+~-]/).map(Number);
  for (const [place, safe] of SAFE_RUNC.entries()) {
    const number = numbers[place] ?? 0;
    if (number !== safe) return !(number > safe);
  }
  return false;
}
