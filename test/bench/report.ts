import { cpus, release } from "node:os";

/** Median of the runs; the lists are short and sorted in a copy. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export interface Comparison {
  readonly name: string;
  /** Milliseconds of each run. */
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  /** Ours over the peer's must not be above this. */
  readonly target: number;
}

/** Prints a table for people and, as the last line, one JSON object for machines. */
export function report(bench: string, peer: string, comparisons: readonly Comparison[]): void {
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, at) => cell.padEnd(at === 0 ? 40 : 14)).join("")}\n`;
  process.stdout.write(line(["", "muster", peer, "ratio", "target"]));
  const rows = comparisons.map((comparison) => {
    const ours = median(comparison.ours);
    const theirs = median(comparison.peer);
    return { ...comparison, oursMedianMs: ours, peerMedianMs: theirs, ratio: ours / theirs };
  });
  for (const { name, oursMedianMs, peerMedianMs, ratio, target } of rows) {
    process.stdout.write(
      line([
        name,
        `${(oursMedianMs / 1000).toFixed(3)} s`,
        `${(peerMedianMs / 1000).toFixed(3)} s`,
        ratio.toFixed(3),
        `≤ ${target}`,
      ]),
    );
  }
  process.stdout.write(`${JSON.stringify({ bench, peer, machine: machine(), rows })}\n`);
}

/** What the figures were measured on. */
export function machine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    kernel: release(),
    node: process.version,
  };
}
