import { humanSize } from "./human.ts";

/** What a prune took away, as docker shows it: nothing of an empty list. */
export function removedText(title: string, names: readonly string[] | null | undefined): string {
  if (names === null || names === undefined || names.length === 0) return "";
  return `Deleted ${title}:\n${names.map((name) => `${name}\n`).join("")}\n`;
}

/** How much of the disk is free again. */
export function reclaimedText(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes)}\n`;
}
