import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../core/log.ts";
import type { ContainerConfig, LogRecord } from "../../../runtime/container/types.ts";
import { Engine } from "../../../runtime/engine.ts";
import { removeCgroups } from "../cluster/clean-folder.ts";
import { busyboxImage } from "../image-builder.ts";
import { made } from "../leftovers/made.ts";
import { processesNaming } from "../processes.ts";
import { containerConfig } from "./container-config.ts";

/** The roots of an engine of its own, in a temporary folder. */
export interface EngineRoots {
  readonly base: string;
  readonly dataRoot: string;
  readonly execRoot: string;
}

export function makeRoots(): EngineRoots {
  const base = mkdtempSync(join(tmpdir(), "muster-engine-"));
  const roots = { base, dataRoot: join(base, "data"), execRoot: join(base, "exec") };
  made.folders.add(base);
  made.dataRoots.add(roots.dataRoot);
  return roots;
}

/** Opens it and sees to it that `busybox:latest` is there. Needs root, runc and conmon, and says so where they are missing. */
export async function openEngine(roots: EngineRoots): Promise<Engine> {
  const engine = await Engine.open({ ...roots, log: silentLog });
  if (engine.images.list().length === 0)
    await engine.images.load(createReadStream(await busyboxImage()));
  return engine;
}

/** Removes every container and the folder. */
export async function destroyEngine(engine: Engine, roots: EngineRoots): Promise<void> {
  for (const { id } of engine.containers.list())
    await engine.containers.remove(id, { force: true });
  await engine.close();
  await removeCgroups(roots.dataRoot);
  rmSync(roots.base, { recursive: true });
}

/** A container of busybox that does `command`, everything else left to the defaults. */
export function busyboxConfig(
  name: string,
  command: readonly string[],
  changes: Partial<ContainerConfig> = {},
): ContainerConfig {
  return containerConfig({ name, command, ...changes });
}

/** All that was written, as text. */
export async function readAll(records: AsyncIterable<LogRecord>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const record of records) chunks.push(record.data);
  return Buffer.concat(chunks).toString("utf8");
}

/** What of a container, or of all under some roots, is still on the machine: mounts, control groups, processes. */
export function findLeftovers(needle: string): string[] {
  return [
    ...readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(needle)),
    ...findCgroups("/sys/fs/cgroup", needle),
    ...processesNaming(needle).map(({ commandLine }) => commandLine),
  ];
}

/** Directories below `dir` with `needle` in their path. */
export function findCgroups(dir: string, needle: string): string[] {
  const children = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(dir, entry.name));
  return children.flatMap((child) =>
    child.includes(needle) ? [child] : findCgroups(child, needle),
  );
}
