import type { Command } from "commander";
import type { WireInfo, WireNode } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { capital } from "../../output/human.ts";
import { formatList, type Row } from "../../output/list.ts";
import { tlsStatus } from "./tls-status.ts";

const TLS_COLUMN = { header: "TLS STATUS", field: "TLSStatus" };
const COLUMNS = [
  { header: "ID", field: "ID" },
  { header: "HOSTNAME", field: "Hostname" },
  { header: "STATUS", field: "Status" },
  { header: "AVAILABILITY", field: "Availability" },
  { header: "MANAGER STATUS", field: "ManagerStatus" },
  { header: "ENGINE VERSION", field: "EngineVersion" },
];

export function addNodeLs(parent: Command, context: Context): void {
  parent
    .command("ls")
    .alias("list")
    .description("List the nodes of the swarm")
    .option("-f, --filter <filter>", "Filter, role=manager", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("-q, --quiet", "Only ids")
    .action(async (options: { filter?: string[]; format?: string; quiet?: boolean }) => {
      const client = context.client();
      const [nodes, info] = await Promise.all([
        client.get<WireNode[]>("/nodes", { filters: filterQuery(options.filter) }),
        client.get<WireInfo>("/info"),
      ]);
      const rows = nodes.map((node) => nodeRow(node, info.Swarm)).sort(byHostname);
      const marked =
        options.format === undefined && options.quiet !== true ? rows.map(markSelf) : rows;
      // Docker has no such column; it is shown only while there is something to say.
      const isMoving = rows.some((row) => row.TLSStatus === "Needs Rotation");
      const columns = isMoving ? [...COLUMNS, TLS_COLUMN] : COLUMNS;
      context.print(formatList({ columns, rows: marked }, options));
    });
}

function nodeRow(node: WireNode, { NodeID: selfId, Cluster }: WireInfo["Swarm"]): Row {
  return {
    ID: node.ID,
    Self: String(node.ID === selfId),
    Hostname: node.Description?.Hostname ?? "",
    Status: capital(node.Status.State),
    Availability: capital(node.Spec.Availability),
    ManagerStatus: managerStatus(node),
    EngineVersion: node.Description?.Engine?.EngineVersion ?? "",
    TLSStatus: tlsStatus(node, Cluster?.TLSInfo),
  };
}

/** The node the CLI talks to has a star behind its id. */
function markSelf(row: Row): Row {
  return { ...row, ID: `${row.ID} ${row.Self === "true" ? "*" : " "}` };
}

function managerStatus({ ManagerStatus: status }: WireNode): string {
  if (status === undefined) return "";
  return status.Leader === true ? "Leader" : capital(status.Reachability);
}

function byHostname(a: Row, b: Row): number {
  return (a.Hostname ?? "").localeCompare(b.Hostname ?? "", "en", { numeric: true });
}
