import { readFileSync } from "node:fs";

/** Whether anything is mounted exactly at `path`, bind mounts included. */
export function isMountedAt(path: string): boolean {
  return mountPoints(readFileSync("/proc/self/mountinfo", "utf8")).includes(path);
}

/** Everything mounted below a directory, outermost first; not at the directory itself. */
export function mountsBelow(directory: string): string[] {
  const points = mountPoints(readFileSync("/proc/self/mountinfo", "utf8"));
  return points.filter((point) => point.startsWith(`${directory}/`));
}

/** Where things are mounted, from the text of /proc/self/mountinfo. */
export function mountPoints(mountinfo: string): string[] {
  const points = mountinfo.split("\n").map((line) => line.split(" ")[4]);
  return points.filter((point) => point !== undefined).map(unescapePath);
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
