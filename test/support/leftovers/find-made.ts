import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { localTableName } from "../../../runtime/network/plan/bridge.ts";
import { portTableName } from "../../../runtime/network/ports/port-rules.ts";
import { groupsOf } from "../cluster/clean-folder.ts";
import { processesNaming } from "../processes.ts";
import type { made } from "./made.ts";

const run = promisify(execFile);
const NETNS_DIRECTORY = "/run/netns";

/** All of what was made that is still on the machine, a line each: folders, processes, mounts, namespaces, control groups, tables. */
export async function findMade({ folders, dataRoots, labs }: typeof made): Promise<string[]> {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  const isLabs = (entry: string) => labs.has(entry.replace(/-(?:switch|h\d+)$/, ""));
  const tables = dataRoots.size > 0 ? (await run("nft", ["list", "tables"])).stdout : "";
  return [
    ...[...folders].filter(existsSync).map((folder) => `folder ${folder}`),
    ...[...folders].flatMap((folder) =>
      mounts.filter((target) => target.startsWith(`${folder}/`)).map((target) => `mount ${target}`),
    ),
    ...[...folders].flatMap((folder) =>
      processesNaming(`${folder}/`).map(({ commandLine }) => `process ${commandLine}`),
    ),
    ...(existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY) : [])
      .filter(isLabs)
      .map((entry) => `namespace ${entry}`),
    ...[...dataRoots].flatMap(groupsOf).map((dir) => `control group ${dir}`),
    ...[...dataRoots]
      .flatMap((root) => [localTableName(root), portTableName(root)])
      .filter((name) => tables.includes(`${name}\n`))
      .map((name) => `table ${name}`),
  ];
}
