import type { Command } from "commander";
import type { WireNetwork } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { splitPair } from "../../flags/parse.ts";
import { formatList } from "../../output/list.ts";
import { forEachRef, inspectAll } from "../inspect.ts";

const COLUMNS = [
  { header: "NETWORK ID", field: "ID" },
  { header: "NAME", field: "Name" },
  { header: "DRIVER", field: "Driver" },
  { header: "SCOPE", field: "Scope" },
];

const ID_LENGTH = 12;

interface CreateOptions {
  readonly driver: string;
  readonly subnet?: string[];
  readonly gateway?: string[];
  readonly label?: string[];
  readonly opt?: string[];
  readonly attachable?: boolean;
  readonly internal?: boolean;
}

export function addNetworkCreate(parent: Command, context: Context): void {
  parent
    .command("create")
    .description("Create a network across the nodes of the swarm")
    .argument("<name>", "Name of the network")
    .option("-d, --driver <driver>", "Driver", "overlay")
    .option("--subnet <cidr>", "Addresses, 10.1.0.0/24 (default: from the swarm's pools)", collect)
    .option("--gateway <address>", "Gateway of the subnet", collect)
    .option("--label <key=value>", "Label", collect)
    .option("-o, --opt <key=value>", "Option of the driver", collect)
    .option("--attachable", "Let single containers attach")
    .option("--internal", "No way out of the network")
    .action(async (name: string, options: CreateOptions) => {
      const { subnet = [], gateway = [] } = options;
      const { Id } = await context.client().post<{ Id: string }>("/networks/create", {
        Name: name,
        Driver: options.driver,
        Attachable: options.attachable ?? false,
        Internal: options.internal ?? false,
        Labels: Object.fromEntries((options.label ?? []).map(splitPair)),
        Options: Object.fromEntries((options.opt ?? []).map(splitPair)),
        IPAM: {
          Config: subnet.map((cidr, position) => ({
            Subnet: cidr,
            Gateway: gateway[position] ?? "",
          })),
        },
      });
      context.print(`${Id}\n`);
    });
}

export function addNetworkLs(parent: Command, context: Context): void {
  parent
    .command("ls")
    .alias("list")
    .description("List networks")
    .option("-f, --filter <filter>", "Filter, name=ingress", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("-q, --quiet", "Only ids")
    .action(async (options: { filter?: string[]; format?: string; quiet?: boolean }) => {
      const networks = await context
        .client()
        .get<WireNetwork[]>("/networks", { filters: filterQuery(options.filter) });
      const rows = networks.map(({ Id, Name, Driver, Scope }) => ({
        ID: Id.slice(0, ID_LENGTH),
        Name,
        Driver,
        Scope,
      }));
      rows.sort((a, b) => a.Name.localeCompare(b.Name, "en", { numeric: true }));
      context.print(formatList({ columns: COLUMNS, rows }, options));
    });
}

export function addNetworkInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show networks in detail")
    .argument("<network...>", "Names or ids")
    .option("-f, --format <template>", "Go template")
    .action(async (refs: string[], options: { format?: string }) => {
      await inspectAll(context, refs, options, async (ref) => {
        return context.client().get<WireNetwork>(`/networks/${encodeURIComponent(ref)}`);
      });
    });
}

export function addNetworkRm(parent: Command, context: Context): void {
  parent
    .command("rm")
    .alias("remove")
    .description("Remove networks")
    .argument("<network...>", "Names or ids")
    .action(async (refs: string[]) => {
      await forEachRef(context, refs, async (ref) => {
        await context.client().delete(`/networks/${encodeURIComponent(ref)}`);
        return ref;
      });
    });
}
