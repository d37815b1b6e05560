import { statSync } from "node:fs";
import { makeInRoot } from "../linux/open-in-root.ts";
import type { ResolvedMount } from "./types.ts";

/** What is mounted in every container: nothing is made below them. */
const OWN = ["/dev", "/proc", "/sys"];

/**
 * Makes in a root file system what is to be mounted upon, as runc would: crun gives what it makes itself other modes, a sticky
 * bit among them, and those go into images. What is there stays.
 *
 * @param root mounted.
 */
export function makeMountPoints(root: string, mounts: readonly ResolvedMount[]): void {
  for (const { target, type, hostPath } of planMountPoints(mounts)) {
    const kind = type === "bind" && !isDirectory(hostPath) ? "file" : "directory";
    try {
      makeInRoot(root, target, kind);
    } catch (error) {
      // A link that leads nowhere and the like: the runtime has its own way, or says what is wrong.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
}

/** Those that are seen of the root file system itself: what is below another mount is made there. */
export function planMountPoints<T extends Pick<ResolvedMount, "target">>(
  mounts: readonly T[],
): readonly T[] {
  const above = [...OWN, ...mounts.map(({ target }) => target)];
  return mounts.filter(({ target }) => !above.some((path) => target.startsWith(`${path}/`)));
}

/** What is not there is told by the runtime. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true;
}
