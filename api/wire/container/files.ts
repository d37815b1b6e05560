import type { FileChange, PathStat } from "../../backends/container-files.ts";

/** Docker's numbers. */
const KINDS = { modified: 0, added: 1, deleted: 2 } as const;
const NS_PER_S = 1_000_000_000n;
const MS_PER_S = 1000;
const NS_DIGITS = 9;

const S_IFMT = 0o170000;
const PERMISSIONS = 0o777;
/** Bits of Go's os.FileMode by type of `st_mode`. Source: Go, io/fs, FileMode. */
const TYPE_BITS = new Map([
  [0o140000, 2 ** 24],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o040000, 2 ** 31],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
]);
const SPECIAL_BITS = [
  { bit: 0o4000, go: 2 ** 23 },
  { bit: 0o2000, go: 2 ** 22 },
  { bit: 0o1000, go: 2 ** 20 },
];

/** One line of `/containers/{id}/changes`. */
export function writeChange({ kind, path }: FileChange): Record<string, unknown> {
  return { Path: path, Kind: KINDS[kind] };
}

/** The header X-Docker-Container-Path-Stat. */
export function writePathStat(stat: PathStat): string {
  const { name, sizeBytes, mode, mtimeNs, linkTarget } = stat;
  const fields = {
    name,
    size: sizeBytes,
    mode: goFileMode(mode),
    mtime: goTime(mtimeNs),
    linkTarget,
  };
  return Buffer.from(JSON.stringify(fields)).toString("base64");
}

/** A `st_mode` as Go's os.FileMode. */
export function goFileMode(mode: number): number {
  const special = SPECIAL_BITS.filter(({ bit }) => (mode & bit) !== 0);
  const type = TYPE_BITS.get(mode & S_IFMT) ?? 0;
  return special.reduce((sum, { go }) => sum + go, type + (mode & PERMISSIONS));
}

/** RFC 3339 with as many digits of the second as it has. */
export function goTime(ns: bigint): string {
  const rest = ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
  const seconds = new Date(Number((ns - rest) / NS_PER_S) * MS_PER_S).toISOString().slice(0, -5);
  const digits = String(rest).padStart(NS_DIGITS, "0").replace(/0+$/, "");
  return `${seconds}${digits === "" ? "" : `.${digits}`}Z`;
}
