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
  readonly unit: "ms" | "MiB";
  /** Of each run. */
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  /** What must not be above this: ours over the peer's, or ours in the unit. */
  readonly target: { readonly of: "ratio" | "ours"; readonly atMost: number };
}

/** Prints a table of medians for people and, as the last line, one JSON object for machines. */
export function report(bench: string, peer: string, comparisons: readonly Comparison[]): void {
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, at) => cell.padEnd(at === 0 ? 40 : 14)).join("")}\n`;
  process.stdout.write(line(["", "muster", peer, "ratio", "target"]));
  const rows = comparisons.map((comparison) => {
    const ours = median(comparison.ours);
    const theirs = median(comparison.peer);
    return { ...comparison, oursMedian: ours, peerMedian: theirs, ratio: ours / theirs };
  });
  for (const { name, unit, target, oursMedian, peerMedian, ratio } of rows) {
    const { of, atMost } = target;
    const most = of === "ratio" ? `≤ ${atMost}` : `≤ ${figure(atMost, unit)}`;
    const cells = [figure(oursMedian, unit), figure(peerMedian, unit), ratio.toFixed(3), most];
    process.stdout.write(line([name, ...cells]));
  }
  process.stdout.write(`${JSON.stringify({ bench, peer, machine: machine(), rows })}\n`);
}

function figure(value: number, unit: Comparison["unit"]): string {
  return unit === "ms" ? `${(value / 1000).toFixed(3)} s` : `${value.toFixed(1)} MiB`;
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
