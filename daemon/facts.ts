import { readFileSync, statfsSync, writeFileSync } from "node:fs";
import { arch, cpus, hostname, machine, release, totalmem } from "node:os";
import { join } from "node:path";
import type { SystemFacts } from "../api/backend.ts";
import { newId } from "../core/ids.ts";
import { systemRandom } from "../core/system-random.ts";
import type { NodeDescription } from "../proto/gen/objects.ts";
import { findCgroupLayout } from "../runtime/cgroup/layout.ts";
import type { EngineParts } from "../runtime/types.ts";
import type { DaemonConfig } from "./config.ts";

/** Docker's and Go's names for the CPU, by Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** What of the facts is known once, at start. */
export type StaticFacts = Omit<
  SystemFacts,
  "containers" | "images" | "abilities" | "cdi" | "openFiles"
>;

/** Reads what this machine is. The daemon's id is kept in the data root. */
export function readFacts(
  config: DaemonConfig,
  version: string,
  engine: Pick<EngineParts, "programs" | "initProgram">,
): StaticFacts {
  const os = readOsRelease();
  return {
    id: readDaemonId(config.dataRoot),
    name: hostname(),
    version,
    gitCommit: "",
    buildTime: "",
    kernelVersion: release(),
    operatingSystem: os.get("PRETTY_NAME") ?? "Linux",
    osVersion: os.get("VERSION_ID") ?? "",
    architecture: machine(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    dataRoot: config.dataRoot,
    labels: config.labels,
    cgroupVersion: readCgroupVersion(),
    programs: engine.programs,
    initProgram: engine.initProgram,
    fileSystem: fileSystemOf(config.dataRoot),
    insecureRegistries: config.insecureRegistries,
    registryMirrors: config.registryMirrors,
    warnings: [],
  };
}

/** The same as managers learn it of a node. */
export function describeNode(facts: StaticFacts): NodeDescription {
  const labels = facts.labels.map((label): [string, string] => {
    const at = label.indexOf("=");
    return [label.slice(0, at), label.slice(at + 1)];
  });
  return {
    hostname: facts.name,
    platform: { os: "linux", architecture: ARCHITECTURES[arch()] ?? arch() },
    resources: { nanoCpus: facts.cpus * 1e9, memoryBytes: facts.memoryBytes, pids: 0 },
    engineVersion: facts.version,
    engineLabels: Object.fromEntries(labels),
  };
}

/** Source: Linux, include/uapi/linux/magic.h; Docker's words for them: moby, daemon/graphdriver/driver_linux.go. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: "extfs",
  1481003842: "xfs",
  2435016766: "btrfs",
  801189825: "zfs",
  16914836: "tmpfs",
  2035054128: "overlayfs",
  4076150800: "f2fs",
};

function fileSystemOf(path: string): string {
  return FILE_SYSTEMS[statfsSync(path).type] ?? "<unknown>";
}

/** Source: os-release(5). */
function readOsRelease(): Map<string, string> {
  const lines = readFileSync("/etc/os-release", "utf8").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const match = /^([A-Z_]+)="?(.*?)"?$/.exec(line);
      return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
    }),
  );
}

/** Docker's two words: a hybrid layout keeps its controllers in version 1. */
function readCgroupVersion(): "1" | "2" {
  const layout = findCgroupLayout(readFileSync("/proc/self/mountinfo", "utf8"));
  return layout?.kind === "v2" ? "2" : "1";
}

function readDaemonId(dataRoot: string): string {
  const path = join(dataRoot, "daemon-id");
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const id = newId(systemRandom);
  writeFileSync(path, `${id}\n`);
  return id;
}
