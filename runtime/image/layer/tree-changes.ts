import type { BigIntStats } from "node:fs";
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { ClusterError } from "../../../core/errors.ts";
import { findXattrOf } from "../../linux/files.ts";
import { DEPTH_MAX, type OpenDirectory, type OpenEntry } from "../../linux/open-directory.ts";
import { isEmptyMountPoint, MOUNT_POINTS } from "./mount-points.ts";
import { isOpaque, isWhiteout, refuseElsewhere } from "./upper-marks.ts";

/** What an upper directory of overlayfs makes of one name. */
export interface TreeChange {
  readonly kind: "modified" | "added" | "deleted";
  /** From the root, with its slash; bytes that are no UTF-8 are lost. */
  readonly path: string;
}

/** Of one container. */
const CHANGES_MAX = 1_000_000;
const ENTRIES_PER_TURN = 64;

/**
 * What a container has changed: its upper directory compared with what lies below. A directory counts as modified too when
 * something inside it changed. In the order of paths.
 *
 * @throws {ClusterError} FailedPrecondition, ResourceExhausted.
 */
export async function listChanges(
  upper: OpenDirectory,
  base: OpenDirectory,
): Promise<readonly TreeChange[]> {
  const changes = new Changes();
  await changes.compare({ upper, base, isOpaque: false }, "/", 0);
  return changes.list;
}

/** Two directories of one path; without a `base`, all of `upper` is new. */
interface Pair {
  readonly upper: OpenDirectory;
  readonly base: OpenDirectory | undefined;
  readonly isOpaque: boolean;
}

class Changes {
  readonly list: TreeChange[] = [];
  #entries = 0;

  /** @param prefix path of the pair, with its last slash; a byte string. */
  async compare({ upper, base, isOpaque: hides }: Pair, prefix: string, depth: number) {
    if (depth > DEPTH_MAX)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot compare: more than ${DEPTH_MAX} directories inside each other`,
      );
    const names = upper.names();
    const own = new Set(names);
    const hidden = hides && base !== undefined ? base.names().filter((name) => !own.has(name)) : [];
    for (const name of [...names, ...hidden].toSorted()) {
      if (++this.#entries % ENTRIES_PER_TURN === 0) await eventLoopTurn();
      if (!own.has(name)) this.#add("deleted", prefix + name);
      else await this.#compareName(name, { upper, base, isOpaque: hides }, prefix + name, depth);
    }
  }

  async #compareName(name: string, { upper, base }: Pair, path: string, depth: number) {
    const entry = upper.find(name);
    if (entry === undefined) return;
    const below = base?.find(name);
    try {
      if (isWhiteout(entry.facts)) {
        if (below !== undefined) this.#add("deleted", path);
        return;
      }
      refuseElsewhere(entry, path);
      const at = this.list.length;
      const kind = below === undefined ? "added" : "modified";
      const isQuiet = below === undefined ? isMountPoint(entry, path) : isUnchanged(entry, below);
      if (!isQuiet) this.#add(kind, path);
      if (!entry.facts.isDirectory()) return;
      await this.#descend(entry, below, `${path}/`, depth);
      if (isQuiet && this.list.length > at) this.list.splice(at, 0, { kind, path: shown(path) });
    } finally {
      entry.close();
      below?.close();
    }
  }

  async #descend(entry: OpenEntry, below: OpenEntry | undefined, prefix: string, depth: number) {
    const upper = entry.openDirectory();
    const base = below?.facts.isDirectory() === true ? below.openDirectory() : undefined;
    try {
      await this.compare({ upper, base, isOpaque: isOpaque(entry) }, prefix, depth + 1);
    } finally {
      upper.close();
      base?.close();
    }
  }

  #add(kind: TreeChange["kind"], path: string): void {
    if (this.list.length >= CHANGES_MAX)
      throw new ClusterError("ResourceExhausted", `cannot list more than ${CHANGES_MAX} changes`);
    this.list.push({ kind, path: shown(path) });
  }
}

function isMountPoint(entry: OpenEntry, path: string): boolean {
  const name = path.slice(1);
  return (
    MOUNT_POINTS.includes(name) && (entry.facts.isDirectory() || isEmptyMountPoint(entry, name))
  );
}

/** As Docker compares: a directory's times say nothing of itself. Source: moby, archive/changes_unix.go, statDifferent. */
function isUnchanged(entry: OpenEntry, below: OpenEntry): boolean {
  const [one, other] = [entry.facts, below.facts];
  if (one.mode !== other.mode || one.uid !== other.uid || one.gid !== other.gid) return false;
  if (one.rdev !== other.rdev) return false;
  if (capabilityOf(entry) !== capabilityOf(below)) return false;
  return one.isDirectory() || hasSameContent(one, other);
}

function hasSameContent(one: BigIntStats, other: BigIntStats): boolean {
  return one.mtimeNs === other.mtimeNs && one.size === other.size;
}

function capabilityOf({ handle, facts }: OpenEntry): string {
  if (!facts.isFile()) return "";
  return Buffer.from(findXattrOf(handle, "security.capability") ?? []).toString("hex");
}

function shown(path: string): string {
  return Buffer.from(path, "latin1").toString();
}
