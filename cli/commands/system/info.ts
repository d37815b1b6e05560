import type { Command } from "commander";
import { packageVersion } from "../../../core/version.ts";
import type { WireInfo, WireTimes } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { splitPair } from "../../flags/parse.ts";
import { capital, humanBytes } from "../../output/human.ts";
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
        context.print(
          `${compileTemplate(options.format, { missing: "cannot be printed" })(info)}\n`,
        );
      else context.print(prettyInfo(info, packageVersion()));
      for (const warning of (info.Warnings as string[] | null) ?? [])
        context.warn(`WARNING: ${warning}\n`);
    });
}

/** As docker shows it, and what a swarm of Muster's has beside that. Source: docker/cli, command/system/info.go. */
export function prettyInfo(info: WireInfo, clientVersion: string): string {
  const plugins = (info.Plugins ?? {}) as Record<string, readonly string[] | null>;
  const listed = ["Volume", "Network", "Log"].filter((kind) => (plugins[kind] ?? []).length > 0);
  const server: [string, unknown][] = [
    ["Containers", info.Containers],
    [" Running", info.ContainersRunning],
    [" Paused", info.ContainersPaused],
    [" Stopped", info.ContainersStopped],
    ["Images", info.Images],
    ["Server Version", info.ServerVersion],
    ["Storage Driver", info.Driver],
    ...pairsOf(info.DriverStatus).map(([name, value]): [string, unknown] => [` ${name}`, value]),
    ["Logging Driver", info.LoggingDriver],
    ["Cgroup Driver", info.CgroupDriver],
    ["Cgroup Version", info.CgroupVersion],
    ["Plugins", undefined],
    ...listed.map((kind): [string, unknown] => [` ${kind}`, (plugins[kind] ?? []).join(" ")]),
    ...swarmLines(info.Swarm),
    ["Runtimes", Object.keys((info.Runtimes ?? {}) as object).join(" ")],
    ["Default Runtime", info.DefaultRuntime],
    ["Security Options", undefined],
    ...securityLines((info.SecurityOptions ?? []) as readonly string[]),
    ["Kernel Version", info.KernelVersion],
    ["Operating System", info.OperatingSystem],
    ["OSType", info.OSType],
    ["Architecture", info.Architecture],
    ["CPUs", info.NCPU],
    ["Total Memory", humanBytes(Number(info.MemTotal))],
    ["Name", info.Name],
    ["ID", info.ID],
    ["Docker Root Dir", info.DockerRootDir],
    ...itemLines("Labels", info.Labels),
    ["Experimental", info.ExperimentalBuild],
    ["Live Restore Enabled", info.LiveRestoreEnabled],
  ];
  const lines = server.map(([name, value]) => ` ${name}${afterName(value)}\n`);
  return `Client:\n Version: ${clientVersion}\n\nServer:\n${lines.join("")}`;
}

/** Undefined: what it is follows; null: it is all there is. */
function afterName(value: unknown): string {
  if (value === null) return "";
  return value === undefined ? ":" : `: ${value}`;
}

function pairsOf(list: unknown): readonly (readonly [string, string])[] {
  return (list ?? []) as readonly (readonly [string, string])[];
}

/** A name by itself, then one line each; nothing of an empty list. */
function itemLines(name: string, list: unknown): [string, unknown][] {
  const items = (list ?? []) as readonly string[];
  if (items.length === 0) return [];
  return [[name, undefined], ...items.map((item): [string, unknown] => [` ${item}`, null])];
}

/** `name=seccomp,profile=builtin`. */
function securityLines(options: readonly string[]): [string, unknown][] {
  return options.flatMap((option) => {
    const fields = option.split(",").map((field) => splitPair(field));
    return fields.map(([key, value]): [string, unknown] =>
      key === "name" ? [` ${value}`, null] : [`  ${capital(key)}`, value],
    );
  });
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
