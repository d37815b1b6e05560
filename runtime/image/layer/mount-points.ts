import { OpenDirectory, type OpenEntry } from "../../linux/open-directory.ts";
import { isOpaque, isWhiteout } from "./upper-marks.ts";

/** A link to where the kernel tells it. */
const MOUNT_LIST = "etc/mtab";

/**
 * What is made in a container's root, by us for what looks for it or by the OCI runtime to mount something there, without a
 * slash before it; what is inside comes first. The container has not done it. Source: moby, initlayer.
 */
export const MOUNT_POINTS: readonly string[] = [
  ...["dev/console", "dev/mqueue", "dev/pts", "dev/shm", "dev"],
  ...["etc/hostname", "etc/hosts", "etc/resolv.conf", MOUNT_LIST, "etc", ".dockerenv"],
  ...["proc", "sys/fs/cgroup", "sys/fs", "sys"],
];

/**
 * Mount points of an upper directory that are there for the mounts alone: new and with nothing in them, or the same as
 * below. No layer has them.
 *
 * @param lowerDirs uppermost first.
 */
export function findBareMountPoints(
  upperDir: string,
  lowerDirs: readonly string[],
): ReadonlySet<string> {
  const bare = new Set<string>();
  for (const path of MOUNT_POINTS)
    withEntry(upperDir, path, (entry) => {
      if (isBare(entry, path, bare) && isNothingNew(entry, path, lowerDirs)) bare.add(path);
    });
  return bare;
}

function isBare(entry: OpenEntry, path: string, bare: ReadonlySet<string>): boolean {
  const { facts } = entry;
  if (!facts.isDirectory()) return isEmptyMountPoint(entry, path);
  if (isOpaque(entry)) return false;
  const directory = entry.openDirectory();
  try {
    return directory.names().every((name) => bare.has(`${path}/${name}`));
  } finally {
    directory.close();
  }
}

/** Whether what is at a path of `MOUNT_POINTS`, and is no directory, is what was made there. */
export function isEmptyMountPoint({ facts }: OpenEntry, path: string): boolean {
  return path === MOUNT_LIST ? facts.isSymbolicLink() : facts.isFile() && facts.size === 0n;
}

/** Compared with the uppermost layer that says something of the path. */
function isNothingNew(entry: OpenEntry, path: string, lowerDirs: readonly string[]): boolean {
  for (const lower of lowerDirs) {
    const answer = withEntry(lower, path, ({ facts }) => {
      if (isWhiteout(facts)) return true;
      const { mode, uid, gid } = entry.facts;
      return facts.isDirectory() && facts.mode === mode && facts.uid === uid && facts.gid === gid;
    });
    if (answer !== undefined) return answer;
  }
  return true;
}

/** Undefined when there is no such file, or a link is on the way to it. */
function withEntry<T>(root: string, path: string, look: (entry: OpenEntry) => T): T | undefined {
  let directory = OpenDirectory.open(root);
  try {
    const parts = path.split("/");
    for (const part of parts.slice(0, -1)) {
      const entry = directory.find(part);
      if (entry?.facts.isDirectory() !== true) {
        entry?.close();
        return undefined;
      }
      const inner = entry.openAndClose();
      directory.close();
      directory = inner;
    }
    const entry = directory.find(parts.at(-1) ?? "");
    if (entry === undefined) return undefined;
    try {
      return look(entry);
    } finally {
      entry.close();
    }
  } finally {
    directory.close();
  }
}
