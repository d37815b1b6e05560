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

/** The mount that a path is in, and whether mounts come to it from elsewhere and go there. */
export interface MountOfPath {
  readonly point: string;
  /** What is mounted here appears there. */
  readonly isShared: boolean;
  /** What is mounted there appears here. */
  readonly isSlave: boolean;
}

/** @param path as the kernel names it, without links. */
export function mountOfPath(path: string): MountOfPath {
  return findMountOfPath(readFileSync("/proc/self/mountinfo", "utf8"), path);
}

/** The same from the text of /proc/self/mountinfo; of several at one place the last one hides the others. */
export function findMountOfPath(mountinfo: string, path: string): MountOfPath {
  let found: MountOfPath = { point: "/", isShared: false, isSlave: false };
  for (const line of mountinfo.split("\n")) {
    const [, , , , text, , ...rest] = line.split(" ");
    if (text === undefined) continue;
    const point = unescapePath(text);
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    if (!holds || point.length < found.point.length) continue;
    const tags = rest.slice(0, rest.indexOf("-"));
    const has = (kind: string) => tags.some((tag) => tag.startsWith(`${kind}:`));
    found = { point, isShared: has("shared"), isSlave: has("master") };
  }
  return found;
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
