import type { Command } from "commander";
import type { WirePort, WireService } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { formatList, type Row } from "../../output/list.ts";

const COLUMNS = [
  { header: "ID", field: "ID" },
  { header: "NAME", field: "Name" },
  { header: "MODE", field: "Mode" },
  { header: "REPLICAS", field: "Replicas" },
  { header: "IMAGE", field: "Image" },
  { header: "PORTS", field: "Ports" },
];

const ID_LENGTH = 12;

export function addServiceLs(parent: Command, context: Context): void {
  parent
    .command("ls")
    .alias("list")
    .description("List services")
    .option("-f, --filter <filter>", "Filter, name=web", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("-q, --quiet", "Only ids")
    .action(async (options: { filter?: string[]; format?: string; quiet?: boolean }) => {
      const query = { status: true, filters: filterQuery(options.filter) };
      const services = await context.client().get<WireService[]>("/services", query);
      const sorted = services.sort((a, b) =>
        a.Spec.Name.localeCompare(b.Spec.Name, "en", { numeric: true }),
      );
      context.print(formatList({ columns: COLUMNS, rows: sorted.map(serviceRow) }, options));
    });
}

function serviceRow(service: WireService): Row {
  const { RunningTasks = 0, DesiredTasks = 0 } = service.ServiceStatus ?? {};
  return {
    ID: service.ID.slice(0, ID_LENGTH),
    Name: service.Spec.Name,
    Mode: service.Spec.Mode.Global === undefined ? "replicated" : "global",
    Replicas: `${RunningTasks}/${DesiredTasks}`,
    Image: service.Spec.TaskTemplate.ContainerSpec.Image.replace(/@sha256:.*$/, ""),
    Ports: (service.Endpoint?.Ports ?? [])
      .filter((port) => port.PublishMode === "ingress")
      .map(formatPort)
      .join(", "),
  };
}

function formatPort(port: WirePort): string {
  return `*:${port.PublishedPort ?? 0}->${port.TargetPort}/${port.Protocol}`;
}
