import { readdirSync } from "node:fs";
import { appendFile, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { makeFolder } from "../linux/make-folder.ts";
import { removeTree } from "../linux/open-directory.ts";
import { plainEndpoint } from "../network/types.ts";
import { CREATED } from "./life.ts";
import { type ContainerPaths, containerPaths, containersDir, type Roots } from "./paths.ts";
import type { ContainerRecord, ContainerStatus } from "./record.ts";
import { DEFAULT_SETTINGS, NO_LIMITS } from "./settings.ts";
import type { ContainerId, NetworkMode } from "./types.ts";

/**
 * Containers on disk: a directory each, which exists before anything else of the container is made and goes after
 * everything else of it. `config.json` in it says that it was made to the end; without it the rest is to be removed.
 */
export class RecordStore {
  readonly #roots: Roots;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /** Every id there is a directory of, whole or not. */
  ids(): ContainerId[] {
    const entries = readdirSync(containersDir(this.#roots), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name as ContainerId);
  }

  async reserve(id: ContainerId): Promise<void> {
    await makeFolder(this.#paths(id).dir, 0o700);
  }

  /** Resolves when the record is on disk for good. */
  async commit(record: ContainerRecord): Promise<void> {
    const { dir, configFile } = this.#paths(record.id);
    await replaceFile(configFile, JSON.stringify(record), { durable: true });
    await syncPath(dir);
    await syncPath(containersDir(this.#roots));
  }

  /** Not flushed: after a power cut no container runs, and how an earlier one ended is forgotten. */
  async saveStatus(id: ContainerId, status: ContainerStatus): Promise<void> {
    await replaceFile(this.#paths(id).statusFile, JSON.stringify(status), { durable: false });
  }

  /** Undefined when the container was not made to the end, or its removal was begun. */
  async find(
    id: ContainerId,
  ): Promise<{ readonly record: ContainerRecord; readonly status: ContainerStatus } | undefined> {
    const { configFile, statusFile } = this.#paths(id);
    const record = await readJson<ContainerRecord>(configFile);
    if (record === undefined) return undefined;
    const status = await readJson<ContainerStatus>(statusFile);
    return { record: completed(record), status: { ...CREATED, ...status } };
  }

  /** Remembers a volume made for the container alone before it is made: it goes with what is left of the container. */
  async claimVolume(id: ContainerId, name: string): Promise<void> {
    await appendFile(this.#paths(id).volumesFile, `${name}\n`);
  }

  async claimedVolumes(id: ContainerId): Promise<string[]> {
    const text = await readText(this.#paths(id).volumesFile);
    return (text ?? "").split("\n").filter((name) => name !== "");
  }

  /** The container's volumes are nobody's in particular from here on. */
  async releaseVolumes(id: ContainerId): Promise<void> {
    await rm(this.#paths(id).volumesFile, { force: true });
  }

  /** From here on it is no container any more, only something to clear away. */
  async revoke(id: ContainerId): Promise<void> {
    await rm(this.#paths(id).configFile, { force: true });
  }

  async forget(id: ContainerId): Promise<void> {
    await removeTree(this.#paths(id).dir);
  }

  #paths(id: ContainerId): ContainerPaths {
    return containerPaths(this.#roots, id);
  }
}

/** Records of earlier versions lack what containers did not have then. */
function completed(record: ContainerRecord): ContainerRecord {
  const { limits, network } = record.config;
  const devices = { ...DEFAULT_SETTINGS.devices, ...record.config.devices };
  const config = {
    ...DEFAULT_SETTINGS,
    ...record.config,
    devices,
    limits: { ...NO_LIMITS, ...limits },
    network: withEndpoints(network),
  };
  return { ...record, config };
}

function withEndpoints(mode: NetworkMode): NetworkMode {
  if (mode.kind !== "local" || "endpoints" in mode) return mode;
  const { network } = mode as { readonly network: string };
  return { kind: "local", network, endpoints: [plainEndpoint(network)] };
}

async function replaceFile(
  path: string,
  text: string,
  options: { readonly durable: boolean },
): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text, { mode: 0o600, flush: options.durable });
  await rename(temporary, path);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Our own files, replaced whole: one that does not parse was never finished. */
async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
