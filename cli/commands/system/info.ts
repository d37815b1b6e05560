import type { Command } from "commander";
import type { WireInfo, WireTimes } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { humanBytes } from "../../output/human.ts";
import { compileTemplate } from "../../template/template.ts";

type SwarmCluster = NonNullable<WireInfo["Swarm"]["Cluster"]>;
const NS_PER_HOUR = 3600e9;

export function addInfo(parent: Command, context: Context): void {
  parent
    .command("info")
    .description("Show what this node is and has")
    .option("-f, --format <format>", "json or a Go template")
    .action(async (options: { format?: string }) => {
      const info = await context.client().get<WireInfo>("/info");
      if (options.format === "json") context.print(`${JSON.stringify(info)}\n`);
      else if (options.format !== undefined)
        context.print(`${compileTemplate(options.format)(info)}\n`);
      else context.print(prettyInfo(info));
      for (const warning of (info.Warnings as string[] | null) ?? [])
        context.warn(`WARNING: ${warning}\n`);
    });
}

function prettyInfo(info: WireInfo): string {
  const lines: [string, unknown][] = [
    ["Name", info.Name],
    ["Server Version", info.ServerVersion],
    ["Containers", `${info.Containers} (${info.ContainersRunning} running)`],
    ["Images", info.Images],
    ["OCI Runtime", info.DefaultRuntime],
    ["Cgroup Version", info.CgroupVersion],
    ["Operating System", info.OperatingSystem],
    ["Kernel Version", info.KernelVersion],
    ["Architecture", info.Architecture],
    ["CPUs", info.NCPU],
    ["Total Memory", humanBytes(Number(info.MemTotal))],
    ["Data Root", info.DockerRootDir],
    ...swarmLines(info.Swarm),
  ];
  return lines.map(([name, value]) => `${name}: ${value}\n`).join("");
}

function swarmLines(swarm: WireInfo["Swarm"]): [string, unknown][] {
  const state: [string, unknown][] = [["Swarm", swarm.LocalNodeState]];
  if (swarm.Error) state.push([" Error", swarm.Error]);
  if (swarm.LocalNodeState !== "active") return state;
  state.push(
    [" NodeID", swarm.NodeID],
    [" Is Manager", swarm.ControlAvailable],
    [" Node Address", swarm.NodeAddr],
  );
  if (swarm.Cluster !== undefined) {
    state.push(
      [" ClusterID", swarm.Cluster.ID],
      [" Managers", swarm.Managers],
      [" Nodes", swarm.Nodes],
      ...timeLines(swarm.Cluster.Spec?.Dispatcher),
      ...expiryLine(swarm.Cluster),
      [" Autolock Managers", swarm.Cluster.Spec?.EncryptionConfig?.AutoLockManagers ?? false],
      [" Root Rotation In Progress", swarm.Cluster.RootRotationInProgress ?? false],
    );
  }
  const managers = (swarm.RemoteManagers ?? []).map((manager) => manager.Addr);
  return [...state, [" Manager Addresses", managers.join(", ")]];
}

function expiryLine({ Spec }: SwarmCluster): [string, unknown][] {
  const expiryNs = Spec?.CAConfig?.NodeCertExpiry ?? 0;
  return expiryNs > 0 ? [[" Certificate Expiry", `${expiryNs / NS_PER_HOUR}h`]] : [];
}

/** When a node of the swarm is given up. */
function timeLines(times: WireTimes | undefined): [string, unknown][] {
  if (times === undefined) return [];
  const seconds = (ns: number | undefined) => `${(ns ?? 0) / 1e9}s`;
  return [
    [" Heartbeat", seconds(times.HeartbeatPeriod)],
    [" Down After", seconds(times.DownAfter)],
    [" Restart Grace", seconds(times.RestartGrace)],
  ];
}
