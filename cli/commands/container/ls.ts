import type { Command } from "commander";
import { userSettings } from "../../client/user-settings.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { goTime, humanDuration, humanSize } from "../../output/human.ts";
import { formatList, labelText, type Row, withLabels } from "../../output/list.ts";
import { portsText, type WirePort } from "../../output/ports.ts";

const SIZE_COLUMN = { header: "SIZE", field: "Size" };
const COLUMNS = [
  { header: "CONTAINER ID", field: "ID" },
  { header: "IMAGE", field: "Image" },
  { header: "COMMAND", field: "Command" },
  { header: "CREATED", field: "RunningFor" },
  { header: "STATUS", field: "Status" },
  { header: "PORTS", field: "Ports" },
  { header: "NAMES", field: "Names" },
];
const ID_LENGTH = 12;
const COMMAND_LENGTH = 20;
const MOUNT_LENGTH = 15;
const SECOND_MS = 1000;

interface WireContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Command: string;
  readonly Created: number;
  readonly State: string;
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Ports: readonly WirePort[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Mounts?: readonly {
    readonly Type: string;
    readonly Name?: string;
    readonly Source: string;
  }[];
  readonly NetworkSettings?: { readonly Networks: Readonly<Record<string, unknown>> | null };
}

interface LsOptions {
  readonly all?: boolean;
  readonly filter?: string[];
  readonly format?: string;
  readonly last?: string;
  readonly latest?: boolean;
  readonly trunc: boolean;
  readonly quiet?: boolean;
  readonly size?: boolean;
}

/** `muster container ls`. */
export function addContainerLs(parent: Command, context: Context): void {
  addListing(parent.command("ls").aliases(["list", "ps"]), context);
}

/** `muster ps`, as everybody types it. */
export function addPs(parent: Command, context: Context): void {
  addListing(parent.command("ps"), context);
}

function addListing(command: Command, context: Context): void {
  command
    .description("List containers of this node")
    .option("-a, --all", "Also those that do not run")
    .option("-f, --filter <filter>", "Filter, status=exited", collect)
    .option("--format <format>", "table, json or a Go template")
    .option("-n, --last <count>", "The last ones made, running or not")
    .option("-l, --latest", "The last one made, running or not")
    .option("--no-trunc", "Whole ids and commands")
    .option("-q, --quiet", "Only ids")
    .option("-s, --size", "With sizes")
    .action(async (options: LsOptions) => {
      const limit = options.latest === true ? "1" : options.last;
      const containers = await context.client().get<WireContainer[]>("/containers/json", {
        all: options.all,
        limit,
        size: options.size,
        filters: filterQuery(options.filter),
      });
      const nowMs = Date.now();
      const rows = containers.map((container) => containerRow(container, nowMs, options.trunc));
      const columns = options.size === true ? [...COLUMNS, SIZE_COLUMN] : COLUMNS;
      context.print(
        formatList({ columns, rows }, { format: userSettings(context).psFormat, ...options }),
      );
    });
}

function containerRow(container: WireContainer, nowMs: number, truncates: boolean): Row {
  const { Id, Command: command, Labels, Mounts = [], SizeRw, SizeRootFs = 0 } = container;
  const written = humanSize(SizeRw ?? 0);
  const mounts = Mounts.map(({ Name, Source }) => Name || Source);
  const row = {
    ID: truncates ? Id.slice(0, ID_LENGTH) : Id,
    Image: container.Image,
    Command: `"${truncates ? ellipsis(command) : command}"`,
    RunningFor: `${humanDuration(nowMs - container.Created * SECOND_MS)} ago`,
    CreatedAt: goTime(container.Created * SECOND_MS),
    State: container.State,
    Status: container.Status,
    Ports: portsText(container.Ports),
    Names: container.Names.map((name) => name.replace(/^\//, "")).join(","),
    Labels: labelText(Labels),
    LocalVolumes: String(Mounts.filter(({ Type }) => Type === "volume").length),
    Mounts: mounts.map((name) => (truncates ? shortMount(name) : name)).join(","),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {}).join(","),
    Size: SizeRootFs > 0 ? `${written} (virtual ${humanSize(SizeRootFs)})` : written,
  };
  return withLabels(row, Labels);
}

function shortMount(name: string): string {
  return name.length <= MOUNT_LENGTH ? name : `${name.slice(0, MOUNT_LENGTH - 1)}…`;
}

function ellipsis(text: string): string {
  return text.length <= COMMAND_LENGTH ? text : `${text.slice(0, COMMAND_LENGTH - 1)}…`;
}
