import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ClusterError } from "../../core/errors.ts";
import type { CgroupLayout } from "../cgroup/layout.ts";
import { strayControllers } from "../cgroup/stray-controllers.ts";
import { isMountPoint, mountController, unmountIdle } from "./mount.ts";

/** Another daemon that ends may unmount one just when we have seen it. */
const ATTEMPTS_MAX = 3;

/**
 * Version 1 hierarchies of stray controllers, mounted beside the others for as long as a daemon wants them: each daemon holds
 * the directory open, so that the kernel lets the last one alone unmount it.
 */
export class StrayHierarchies {
  readonly #held = new Map<string, number>();

  /**
   * Mounts what is stray.
   *
   * @throws {ClusterError} the kernel's refusal, as where /sys/fs/cgroup is read-only. What was mounted is held.
   */
  claim(layout: CgroupLayout): void {
    if (layout.kind !== "hybrid") return;
    const { unified, added } = layout;
    const delegated = readFileSync(join(unified, "cgroup.subtree_control"), "utf8");
    const strays = strayControllers(layout, unifiedControllers(layout), delegated);
    for (const name of [...added, ...strays]) this.#hold(name, join(dirname(unified), name));
  }

  /** Unmounts what no other daemon holds. */
  release(): void {
    for (const fd of this.#held.values()) closeSync(fd);
    removeUnheld([...this.#held.keys()]);
    this.#held.clear();
  }

  #hold(controller: string, dir: string): void {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      mkdirSync(dir, { recursive: true });
      mountController(controller, dir);
      const fd = openSync(dir, "r");
      if (isMountPoint(dir)) {
        this.#held.set(dir, fd);
        return;
      }
      closeSync(fd);
    }
    throw new ClusterError("Internal", `cannot keep ${dir} mounted: something unmounts it`);
  }
}

/** Unmounts what daemons have left that were killed. */
export function removeAbandoned({ added, unified }: CgroupLayout): void {
  removeUnheld(added.map((name) => join(dirname(unified), name)));
}

function removeUnheld(dirs: readonly string[]): void {
  for (const dir of dirs) {
    if (!unmountIdle(dir)) continue;
    try {
      rmdirSync(dir);
    } catch (error) {
      // Another daemon has mounted it again, or removed it as well.
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "EBUSY" && code !== "ENOENT") throw error;
    }
  }
}

/** What version 2 has at its root; nothing where there is no version 2. */
export function unifiedControllers({ unified }: CgroupLayout): string {
  return unified === "" ? "" : readFileSync(join(unified, "cgroup.controllers"), "utf8").trim();
}
