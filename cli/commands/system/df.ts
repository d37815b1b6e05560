import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { humanSize } from "../../output/human.ts";
import { formatList, type Row } from "../../output/list.ts";
import { type WireEach, writeEach } from "./df-each.ts";

const COLUMNS = [
  { header: "TYPE", field: "Type" },
  { header: "TOTAL", field: "TotalCount" },
  { header: "ACTIVE", field: "Active" },
  { header: "SIZE", field: "Size" },
  { header: "RECLAIMABLE", field: "Reclaimable" },
];

/** As much of `/system/df` as is summed up. */
export interface WireUsage {
  readonly LayersSize: number;
  readonly Images: readonly UsedImage[];
  readonly Containers: readonly UsedContainer[];
  readonly Volumes: readonly UsedVolume[];
}

interface UsedImage {
  readonly Containers: number;
  readonly Size: number;
  readonly SharedSize: number;
}

interface UsedContainer {
  readonly State: string;
  readonly SizeRw?: number;
}

interface UsedVolume {
  readonly UsageData: { readonly Size: number; readonly RefCount: number };
}

export function addDf(parent: Command, context: Context): void {
  parent
    .command("df")
    .description("Show what images, containers and volumes take up on this node's disk")
    .option("--format <format>", "table, json or a Go template")
    .option("-v, --verbose", "Each image, container and volume")
    .action(async (options: { format?: string; verbose?: boolean }, verb: Command) => {
      if (options.verbose === true && options.format !== undefined)
        verb.error("the verbose and the format options conflict");
      const usage = await context.client().get<WireUsage & WireEach>("/system/df");
      if (options.verbose === true) {
        context.print(writeEach(usage, Date.now()));
        return;
      }
      context.print(formatList({ columns: COLUMNS, rows: usageRows(usage) }, options));
    });
}

/** What is in use cannot be reclaimed; a layer that two images share goes only with both. */
export function usageRows({ LayersSize, Images, Containers, Volumes }: WireUsage): Row[] {
  const usedImages = Images.filter((image) => image.Containers > 0);
  const inUse = sum(usedImages.map(({ Size, SharedSize }) => Size - Math.max(SharedSize, 0)));
  const running = Containers.filter(({ State }) => ["running", "paused"].includes(State));
  const usedVolumes = Volumes.filter(({ UsageData }) => UsageData.RefCount > 0);
  const written = (list: WireUsage["Containers"]) => sum(list.map(({ SizeRw = 0 }) => SizeRw));
  const stored = (list: WireUsage["Volumes"]) => sum(list.map(({ UsageData }) => UsageData.Size));
  return [
    usageRow("Images", [Images, usedImages], LayersSize, LayersSize - inUse),
    usageRow(
      "Containers",
      [Containers, running],
      written(Containers),
      written(Containers) - written(running),
    ),
    usageRow(
      "Local Volumes",
      [Volumes, usedVolumes],
      stored(Volumes),
      stored(Volumes) - stored(usedVolumes),
    ),
    // The classic builder's cache are images.
    usageRow("Build Cache", [[], []], 0, 0),
  ];
}

function usageRow(
  type: string,
  [all, used]: readonly [readonly unknown[], readonly unknown[]],
  bytes: number,
  freeBytes: number,
): Row {
  const share = bytes > 0 ? ` (${Math.round((freeBytes / bytes) * 100)}%)` : "";
  return {
    Type: type,
    TotalCount: String(all.length),
    Active: String(used.length),
    Size: humanSize(bytes),
    Reclaimable: `${humanSize(freeBytes)}${share}`,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
