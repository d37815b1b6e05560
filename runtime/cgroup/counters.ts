/** Numbers from cgroup files: pure readers of their text. */

/**
 * How often the kernel killed a process of the group for want of memory.
 *
 * @param text of `memory.oom_control` (version 1) or `memory.events` (version 2): lines of a name and a number.
 */
export function parseOomKills(text: string): number {
  return parseKeyed(text).get("oom_kill") ?? 0;
}

/** CPU time used, in nanoseconds, from the text of version 2's `cpu.stat`. */
export function parseCpuUsageNanos(text: string): number {
  return (parseKeyed(text).get("usage_usec") ?? 0) * 1000;
}

/** A file of one number; `max` and anything else: undefined. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim();
  return /^[0-9]+$/.test(trimmed) ? Number(trimmed) : undefined;
}

function parseKeyed(text: string): Map<string, number> {
  const entries = text.split("\n").map((line) => line.split(" "));
  return new Map(entries.map(([key = "", value = ""]) => [key, Number(value)]));
}
