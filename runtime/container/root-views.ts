import { closeSync, existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";
import { unmount } from "../linux/mount.ts";
import { openMountTree, type TreeMount } from "../linux/mount-tree.ts";
import { makeInRoot } from "../linux/open-in-root.ts";
import type { ContainerHost } from "./container-run.ts";
import { type Roots, scratchDir } from "./paths.ts";
import type { ContainerRecord } from "./record.ts";
import { openSubpath } from "./run-mounts.ts";
import { normalizePath } from "./spec/container-path.ts";
import type { NetworkFiles } from "./spec/mounts.ts";
import type { ResolvedMount } from "./types.ts";

/** Of one container at a time. */
const VIEWS_MAX = 64;

/**
 * A container's files for as long as somebody copies, also while it does not run. Only a descriptor holds it: nothing of it
 * is in a mount table, and it goes with the process.
 */
export interface RootView {
  /** Path of its root; valid until it is closed. */
  readonly root: string;
  /** No error when it is closed already. */
  close(): Promise<void>;
}

/** How many views of one container are open, and its root file system mounted for them. */
export class RootViews {
  readonly #host: Pick<ContainerHost, "roots" | "images" | "volumes">;
  readonly #onLastClosed: () => Promise<void>;
  #open = 0;
  #made = 0;

  /** @param onLastClosed called when none is open any more: what was mounted for them may go. */
  constructor(
    host: Pick<ContainerHost, "roots" | "images" | "volumes">,
    onLastClosed: () => Promise<void>,
  ) {
    this.#host = host;
    this.#onLastClosed = onLastClosed;
  }

  /** While one is, the root file system stays mounted. */
  get isOpen(): boolean {
    return this.#open > 0;
  }

  /**
   * @param files what the container has in place of some of its own files; undefined: only its root file system, without
   *   anything that is mounted into it.
   * @throws {ClusterError} ResourceExhausted when too many are open; FailedPrecondition when what it mounts is not there.
   */
  async open(record: ContainerRecord, files: NetworkFiles | undefined): Promise<RootView> {
    const { images, roots } = this.#host;
    if (this.#open >= VIEWS_MAX)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot look into container ${record.config.name}: ${VIEWS_MAX} others do`,
      );
    this.#open += 1;
    try {
      await images.mountRootfs(record.rootfs);
      const scratch = `${scratchDir(roots)}/${record.id}-${++this.#made}`;
      const fd = await this.#withVolumes(record, files !== undefined, () => {
        const { merged } = record.rootfs;
        if (files === undefined) return openMountTree(merged, [], scratch, makeTarget);
        return withSources(record.mounts, (mounts) =>
          openMountTree(merged, planTreeMounts(mounts, files), scratch, makeTarget),
        );
      });
      const tellEnds = files === undefined ? [] : this.#tellOfVolumes(record);
      const close = async () => {
        for (const tell of tellEnds) tell();
        await this.#close(fd);
      };
      return { root: `/proc/self/fd/${fd}`, close: onlyOnce(close) };
    } catch (error) {
      this.#open -= 1;
      // Not waited for: it wants the turn that this call has.
      if (this.#open === 0) void this.#onLastClosed();
      throw error;
    }
  }

  /** Volumes that are mounted themselves must be while they are taken into a tree; there they stay. */
  async #withVolumes(record: ContainerRecord, wanted: boolean, work: () => number) {
    const { volumes } = this.#host;
    const names = record.mounts
      .filter(({ type, source }) => type === "volume" && hasOptions(volumes.get(source).options))
      .map(({ source }) => source);
    // Everybody in one order: two containers must not wait for each other's volumes.
    const inOrder = wanted ? [...new Set(names)].toSorted().toReversed() : [];
    const nested = inOrder.reduce<() => Promise<number>>(
      (inner, name) => () => volumes.whileMounted(name, record.id, inner),
      async () => work(),
    );
    return nested();
  }

  #tellOfVolumes({ id, mounts }: ContainerRecord): (() => void)[] {
    return mounts
      .filter(({ type }) => type === "volume")
      .map(({ source, target, readOnly, propagation }) =>
        this.#host.volumes.tellOfView(source, { container: id, target, readOnly, propagation }),
      );
  }

  async #close(fd: number): Promise<void> {
    closeSync(fd);
    this.#open -= 1;
    if (this.#open === 0) await this.#onLastClosed();
  }
}

/** Removes what a process that was killed left of trees it was putting together. */
export function clearScratch(roots: Roots): void {
  const directory = scratchDir(roots);
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    unmount(`${directory}/${name}`);
    rmdirSync(`${directory}/${name}`);
  }
}

/** Outer ones first. What lives in memory only while the container runs is not seen, as with Docker. */
function planTreeMounts(mounts: readonly ResolvedMount[], files: NetworkFiles): TreeMount[] {
  const planned = new Map<string, TreeMount>();
  for (const [target, source] of [
    ["/etc/hostname", files.hostname],
    ["/etc/hosts", files.hosts],
    ["/etc/resolv.conf", files.resolvConf],
  ] as const)
    if (existsSync(source))
      planned.set(target, { source, target, readOnly: false, recursive: false });
  for (const { type, hostPath: source, readOnly, nonRecursive, ...mount } of mounts) {
    const target = normalizePath(mount.target, "mount target");
    if (type === "tmpfs") planned.delete(target);
    else planned.set(target, { source, target, readOnly, recursive: nonRecursive !== true });
  }
  const depth = ({ target }: TreeMount) => target.split("/").length;
  return [...planned.values()].toSorted((a, b) => depth(a) - depth(b));
}

function hasOptions(options: Readonly<Record<string, string>>): boolean {
  return Object.keys(options).length > 0;
}

/** Does something while the sources of mounts are there: of a part of a volume, its handle. */
function withSources<T>(
  mounts: readonly ResolvedMount[],
  work: (mounts: readonly ResolvedMount[]) => T,
): T {
  const handles: number[] = [];
  try {
    const found = mounts.map((mount) => {
      if (mount.type !== "tmpfs") requireSource(mount);
      if (mount.subpath === undefined) return mount;
      const handle = openSubpath(mount.hostPath, mount.subpath);
      handles.push(handle);
      return { ...mount, hostPath: `/proc/self/fd/${handle}` };
    });
    return work(found);
  } finally {
    for (const handle of handles) closeSync(handle);
  }
}

function requireSource({ hostPath: source, target, createSource }: ResolvedMount): void {
  if (createSource === true && !existsSync(source))
    mkdirSync(source, { recursive: true, mode: 0o755 });
  if (existsSync(source)) return;
  throw new ClusterError(
    "FailedPrecondition",
    `cannot mount ${source} to ${target}: it does not exist`,
  );
}

function makeTarget(root: string, { source, target }: TreeMount): void {
  makeInRoot(root, target, statSync(source).isDirectory() ? "directory" : "file");
}

function onlyOnce(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return async () => {
    done ??= work();
    await done;
  };
}
