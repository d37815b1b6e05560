/** Numbers from cgroup files: pure readers of their text. */

/**
 * How often the kernel killed a process of the group for want of memory.
 *
 * @param text of `memory.oom_control` (version 1) or `memory.events` (version 2): lines of a name and a number.
 */
export function parseOomKills(text: string): number {
  return parseKeyed(text).get("oom_kill") ?? 0;
}

/** A file of one number; `max` and anything else: undefined. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim();
  return /^[0-9]+$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** Lines of a name and a number; other lines are left out. */
export function parseKeyed(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [key = "", value = ""] = line.split(" ");
    if (/^\d+$/.test(value)) numbers.set(key, Number(value));
  }
  return numbers;
}
