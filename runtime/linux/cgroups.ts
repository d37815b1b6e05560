import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { type CgroupAbilities, legacyAbilities, unifiedAbilities } from "../cgroup/abilities.ts";
import { parseOomKills } from "../cgroup/counters.ts";
import {
  allDirs,
  type CgroupLayout,
  type Controller,
  findCgroupLayout,
  findControllerDir,
  findOwnDir,
  joinDirs,
} from "../cgroup/layout.ts";
import { type CgroupUsage, readUsage } from "../cgroup/usage.ts";
import { findProcess, signalProcess } from "./process.ts";

const SIGKILL = 9;
/** How long killed processes may take to be gone from their group, and how often to look: version 1 tells nobody. */
const EMPTY_WAIT_MS = 5000;
const EMPTY_LOOK_MS = 2;
const FREEZE_WAIT_MS = 10_000;
const KEY_LENGTH = 12;
const ROOT = "/muster";
const MONITORS = "conmon";
/** How long the conmons of the last containers may take to be gone. */
const MONITORS_WAIT_MS = 500;
const UNREMOVABLE = new Set(["ENOENT", "EBUSY", "ENOTEMPTY"]);

/**
 * The control groups of one engine: `/muster/<key>/<container>` and `/muster/<key>/conmon`, where the key stands for the
 * engine's data root, so that several daemons on one machine never touch each other's.
 */
export class Cgroups {
  readonly layout: CgroupLayout;
  readonly #parent: string;
  /** Of the containers whose groups are not among this engine's own. */
  readonly #parents = new Map<string, string>();
  readonly #clock: Clock;

  constructor(layout: CgroupLayout, dataRoot: string, clock: Clock) {
    const key = createHash("sha256").update(dataRoot).digest("hex").slice(0, KEY_LENGTH);
    this.layout = layout;
    this.#parent = `${ROOT}/${key}`;
    this.#clock = clock;
  }

  /** Path of a container's group, as the OCI specification wants it. */
  groupOf(containerId: string): string {
    return `${this.#parents.get(containerId) ?? this.#parent}/${containerId}`;
  }

  /** From here on the container's group is below `parent`, a path from the root of every hierarchy. */
  place(containerId: string, parent: string): void {
    this.#parents.set(containerId, parent.replace(/^\/*/, "/").replace(/\/+$/, ""));
  }

  /** Forgets where it was placed. */
  displace(containerId: string): void {
    this.#parents.delete(containerId);
  }

  /**
   * Freezes the container's processes or lets them go on; resolves when it is so.
   *
   * @throws {ClusterError} FailedPrecondition without the kernel's freezer; DeadlineExceeded when a process does not freeze.
   */
  async freeze(containerId: string, frozen: boolean): Promise<void> {
    const dir = findControllerDir(this.layout, "freezer", this.groupOf(containerId));
    if (dir === undefined)
      throw new ClusterError("FailedPrecondition", "cannot pause: the kernel has no freezer");
    const { file, value, state, isSo } = freezerOrder(this.layout.kind === "v2", frozen);
    const deadlineMs = this.#clock.monotonicMs() + FREEZE_WAIT_MS;
    do {
      // Version 1 may take several orders while processes are being made.
      await writeFile(`${dir}/${file}`, value);
      if (isSo.test(await readFile(`${dir}/${state}`, "utf8"))) return;
      await new Promise<void>((resolve) => this.#clock.after(EMPTY_LOOK_MS, resolve));
    } while (this.#clock.monotonicMs() < deadlineMs);
    if (frozen)
      await writeFile(`${dir}/${file}`, freezerOrder(this.layout.kind === "v2", false).value);
    throw new ClusterError(
      "DeadlineExceeded",
      `cannot pause container ${containerId}: a process does not freeze`,
    );
  }

  /** Whether the kernel can limit memory and swap together. */
  canLimitSwap(): boolean {
    const memory = this.layout.v1.memory;
    return memory === undefined || existsSync(`${memory}/memory.memsw.limit_in_bytes`);
  }

  /** What limits the kernel can keep. */
  abilities(): CgroupAbilities {
    const { kind, unified, v1 } = this.layout;
    if (kind === "v2") {
      const controllers = readFileSync(`${unified}/cgroup.controllers`, "utf8").trim();
      return unifiedAbilities(new Set(controllers.split(" ")));
    }
    return legacyAbilities((controller, file) => existsSync(`${v1[controller]}/${file}`));
  }

  /**
   * Says that a process will soon be put into a group. The kernel has the first such move wait until every processor has
   * passed a quiet point, 5 to 20 ms, and those just after it go at once: the wait is taken while other things are done.
   * Resolves always; without it all goes the same, later.
   *
   * Source: kernel/cgroup/cgroup.c, cgroup_attach_lock; kernel/rcu/sync.c.
   */
  async expectMove(): Promise<void> {
    try {
      const dir = findOwnDir(this.layout, await readFile("/proc/self/cgroup", "utf8"));
      // To where we are already: nothing changes.
      if (dir !== undefined) await writeFile(`${dir}/cgroup.procs`, String(process.pid));
    } catch {
      // A group whose path is not seen from here.
    }
  }

  /** Puts a conmon, before it has children, beside the containers: stopping our own group must not stop it. */
  async adoptMonitor(pid: number): Promise<void> {
    const dirs = joinDirs(this.layout, `${this.#parent}/${MONITORS}`);
    await Promise.all(
      dirs.map(async (dir) => {
        if (!existsSync(dir)) await mkdir(dir, { recursive: true });
        await writeFile(`${dir}/cgroup.procs`, String(pid));
      }),
    );
  }

  /** How many processes of the container were killed for want of memory; 0 when its group is gone. */
  oomKills(containerId: string): number {
    const file = this.layout.kind === "v2" ? "memory.events" : "memory.oom_control";
    return parseOomKills(this.#read("memory", containerId, file));
  }

  /** What a container has used so far; nothing when its group is gone. */
  usage(containerId: string): CgroupUsage {
    return readUsage(this.layout.kind === "v2", (controller, file) =>
      this.#read(controller, containerId, file),
    );
  }

  /**
   * Kills what is left in a container's group and removes the group from every hierarchy. No error when there is none.
   *
   * @throws {ClusterError} DeadlineExceeded when a process does not go.
   */
  async remove(containerId: string): Promise<void> {
    const dirs = allDirs(this.layout, this.groupOf(containerId)).filter((dir) => existsSync(dir));
    if (dirs.length === 0) return;
    await this.#thaw(containerId);
    await this.#empty(containerId, dirs);
    await Promise.all(dirs.map(removeTree));
  }

  /** The processes of a container. */
  pids(containerId: string): number[] {
    return [...pidsOf(allDirs(this.layout, this.groupOf(containerId)))];
  }

  /** Ids of the containers that have a group. */
  list(): string[] {
    const ids = new Set<string>();
    for (const parent of allDirs(this.layout, this.#parent)) {
      if (!existsSync(parent)) continue;
      for (const entry of readdirSync(parent, { withFileTypes: true }))
        if (entry.isDirectory() && entry.name !== MONITORS) ids.add(entry.name);
    }
    return [...ids];
  }

  /**
   * Removes this engine's own groups when no container is in them; when one is, or another takes long to end, they stay.
   *
   * @returns whether they are gone.
   */
  async removeOwn(): Promise<boolean> {
    if (this.list().length > 0) return false;
    const monitors = allDirs(this.layout, `${this.#parent}/${MONITORS}`);
    if (!(await this.#becomesEmpty(monitors, MONITORS_WAIT_MS))) return false;
    for (const group of [`${this.#parent}/${MONITORS}`, this.#parent, ROOT])
      await Promise.all(allDirs(this.layout, group).map(removeIfUnused));
    return true;
  }

  /** What is frozen cannot be killed with version 1. */
  async #thaw(containerId: string): Promise<void> {
    const dir = findControllerDir(this.layout, "freezer", this.groupOf(containerId));
    const file = dir === undefined ? "" : `${dir}/freezer.state`;
    if (this.layout.kind === "v2" || file === "" || !existsSync(file)) return;
    if (!(await readFile(file, "utf8")).startsWith("THAWED")) await writeFile(file, "THAWED");
  }

  async #empty(containerId: string, dirs: readonly string[]): Promise<void> {
    const killAll = (pids: ReadonlySet<number>) => {
      for (const pid of pids) {
        const process = findProcess(pid);
        if (process !== undefined) signalProcess(process, SIGKILL);
      }
    };
    if (await this.#becomesEmpty(dirs, EMPTY_WAIT_MS, killAll)) return;
    throw new ClusterError(
      "DeadlineExceeded",
      `cannot remove the control group of container ${containerId}: process ${pidsOf(dirs).values().next().value} does not end`,
    );
  }

  async #becomesEmpty(
    dirs: readonly string[],
    waitMs: number,
    onBusy: (pids: ReadonlySet<number>) => void = () => {},
  ): Promise<boolean> {
    const deadlineMs = this.#clock.monotonicMs() + waitMs;
    for (let pids = pidsOf(dirs); pids.size > 0; pids = pidsOf(dirs)) {
      if (this.#clock.monotonicMs() > deadlineMs) return false;
      onBusy(pids);
      await new Promise<void>((resolve) => this.#clock.after(EMPTY_LOOK_MS, resolve));
    }
    return true;
  }

  #read(controller: Controller, id: string, file: string): string {
    const dir = findControllerDir(this.layout, controller, this.groupOf(id));
    if (dir === undefined) return "";
    try {
      return readFileSync(`${dir}/${file}`, "utf8");
    } catch {
      // The group is gone, or the kernel was built without this file: no number either way.
      return "";
    }
  }
}

/** Source: kernel, cgroup-v1/freezer-subsystem.rst and cgroup-v2.rst, "Freezer". */
function freezerOrder(isV2: boolean, frozen: boolean) {
  return isV2
    ? {
        file: "cgroup.freeze",
        value: frozen ? "1" : "0",
        state: "cgroup.events",
        isSo: frozen ? /^frozen 1$/m : /^frozen 0$/m,
      }
    : {
        file: "freezer.state",
        value: frozen ? "FROZEN" : "THAWED",
        state: "freezer.state",
        isSo: frozen ? /^FROZEN/ : /^THAWED/,
      };
}

/** @throws {ClusterError} FailedPrecondition when this machine has no control groups. */
export function probeCgroups(dataRoot: string, clock: Clock): Cgroups {
  return new Cgroups(probeCgroupLayout(), dataRoot, clock);
}

/** @throws {ClusterError} FailedPrecondition when this machine has no control groups. */
export function probeCgroupLayout(): CgroupLayout {
  const layout = findCgroupLayout(readFileSync("/proc/self/mountinfo", "utf8"));
  if (layout !== undefined) return layout;
  throw new ClusterError(
    "FailedPrecondition",
    "cannot run containers: no cgroup file system is mounted: mount -t cgroup2 none /sys/fs/cgroup",
  );
}

function pidsOf(dirs: readonly string[]): Set<number> {
  return new Set(dirs.flatMap(pidsBelow));
}

function pidsBelow(dir: string): number[] {
  if (!existsSync(dir)) return [];
  const own = readFileSync(`${dir}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
  return own.concat(childrenOf(dir).flatMap(pidsBelow));
}

/** Another engine's groups, or a process that just came, may be in it. */
async function removeIfUnused(dir: string): Promise<void> {
  try {
    await rmdir(dir);
  } catch (error) {
    if (error instanceof Error && "code" in error && UNREMOVABLE.has(String(error.code))) return;
    throw error;
  }
}

async function removeTree(dir: string): Promise<void> {
  await Promise.all(childrenOf(dir).map(removeTree));
  await rmdir(dir);
}

function childrenOf(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${dir}/${entry.name}`);
}
