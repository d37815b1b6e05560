import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { hostPort } from "../../output/ports.ts";
import { containerPath } from "./each.ts";

/** Docker's NetworkSettings.Ports: by "80/tcp". */
export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>;

interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

export function addContainerPort(parent: Command, context: Context): void {
  parent
    .command("port")
    .description("Show where published ports of a container lead from")
    .argument("<container>", "Name or id")
    .argument("[port]", "One of its ports: 80, 53/udp")
    .action(async (ref: string, port: string | undefined) => {
      const { NetworkSettings } = await context
        .client()
        .get<{ NetworkSettings: { Ports: PortMap } }>(containerPath(ref, "json"));
      const lines = formatPorts(NetworkSettings.Ports, port);
      if (port !== undefined && lines.length === 0)
        throw new ClusterError("NotFound", `no public port '${port}' published for ${ref}`);
      context.print(lines.map((line) => `${line}\n`).join(""));
    });
}

/** `80/tcp -> 0.0.0.0:8080`, or for one port the right side alone. In the order of the container's ports. */
export function formatPorts(ports: PortMap, wanted: string | undefined): string[] {
  const published = Object.entries(ports)
    .flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => ({ port, end: hostPort(HostIp, HostPort) })),
    )
    .sort((a, b) => Number.parseInt(a.port, 10) - Number.parseInt(b.port, 10));
  if (wanted === undefined) return published.map(({ port, end }) => `${port} -> ${end}`);
  const name = wanted.includes("/") ? wanted.toLowerCase() : `${wanted}/tcp`;
  return published.filter(({ port }) => port === name).map(({ end }) => end);
}
