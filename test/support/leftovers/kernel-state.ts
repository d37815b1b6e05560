import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../core/system-clock.ts";
import { probeCgroups } from "../../../runtime/linux/cgroups.ts";
import type { TestNode } from "../cluster/test-node.ts";
import type { Lab } from "../lab/lab.ts";
import { processesNaming } from "../processes.ts";

/**
 * What of ours the machine has for a node, one line each: containers, conmons, namespaces, links, mounts, control groups
 * and nftables. Two states of a node can be compared line by line.
 */
export async function kernelState(lab: Lab, node: TestNode): Promise<string[]> {
  const fabric = join(node.folder, "run/netns/_fabric");
  const inside = async (...command: string[]) => (await lab.exec(node.host, command)).stdout;
  const links = (text: string, where: string) =>
    [...text.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name]) => `link ${where} ${name}`);
  return [
    ...links(await inside("ip", "-o", "link"), "host"),
    ...(existsSync(fabric)
      ? links(await inside("nsenter", `--net=${fabric}`, "ip", "-o", "link"), "fabric")
      : []),
    ...lines(await inside("nft", "list", "ruleset")).map((line) => `nft ${line}`),
    ...filesOf(join(node.folder, "run/netns")).map((name) => `namespace ${name}`),
    ...["netns", "attachments", "ports"].flatMap((what) =>
      filesOf(join(node.folder, "run/local-networks", what)).map((name) => `${what} of ${name}`),
    ),
    ...["containers", "exits"].flatMap((what) =>
      filesOf(join(node.folder, "run", what)).map((name) => `${what} ${name}`),
    ),
    ...filesOf(join(node.folder, "run/runtime")).flatMap((runtime) =>
      filesOf(join(node.folder, "run/runtime", runtime))
        .filter((name) => !name.startsWith("."))
        .map((name) => `${runtime} ${name}`),
    ),
    ...filesOf(join(node.dataRoot, "containers")).map((name) => `container ${name}`),
    ...mountsBelow(node.folder).map((target) => `mount ${target}`),
    ...probeCgroups(node.dataRoot, systemClock)
      .list()
      .map((id) => `cgroup ${id}`),
    ...processesNaming(`${node.folder}/`)
      .filter(({ commandLine }) => /^\S*conmon /.test(commandLine))
      .map(({ commandLine }) => `process ${commandLine}`),
  ].sort();
}

/** Lines of `now` that are not in `before`. */
export function newLines(before: readonly string[], now: readonly string[]): string[] {
  const known = new Set(before);
  return now.filter((line) => !known.has(line));
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function filesOf(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function mountsBelow(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => target.startsWith(`${folder}/`));
}
