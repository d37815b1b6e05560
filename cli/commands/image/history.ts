import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { platformJson } from "../../flags/platform.ts";
import { humanDiskSize, humanDuration } from "../../output/human.ts";
import { formatList, type Row } from "../../output/list.ts";
import { imagePath } from "./ref.ts";

const COLUMNS = [
  { header: "IMAGE", field: "ID" },
  { header: "CREATED", field: "CreatedSince" },
  { header: "CREATED BY", field: "CreatedBy" },
  { header: "SIZE", field: "Size" },
  { header: "COMMENT", field: "Comment" },
];
const EXACT_COLUMNS = COLUMNS.map((column) =>
  column.field === "CreatedSince" ? { header: "CREATED AT", field: "CreatedAt" } : column,
);
const ID_LENGTH = 12;
const CREATED_BY_LENGTH = 45;

interface WireStep {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

interface HistoryFlags {
  readonly format?: string;
  readonly quiet?: boolean;
  readonly trunc: boolean;
  readonly human: boolean;
  readonly platform?: string;
}

export function addHistory(parent: Command, context: Context): void {
  parent
    .command("history")
    .description("Show how an image was made, the last step first")
    .argument("<image>")
    .option("--format <format>", "table, json or a Go template")
    .option("--no-trunc", "Whole ids and commands")
    .option("--platform <platform>", "Of an image for several: os/architecture[/variant]")
    .option("-H, --human", "Sizes and times for people", true)
    .option("-q, --quiet", "Only ids")
    .action(async (ref: string, flags: HistoryFlags) => {
      const steps = await context.client().get<WireStep[]>(`${imagePath(ref)}/history`, {
        platform: platformJson(flags.platform),
      });
      const rows = steps.map((step) => stepRow(step, flags, Date.now()));
      context.print(formatList({ columns: flags.human ? COLUMNS : EXACT_COLUMNS, rows }, flags));
    });
}

function stepRow(step: WireStep, { trunc, human }: HistoryFlags, nowMs: number): Row {
  const createdBy = step.CreatedBy.replaceAll("\t", " ");
  const isLong = trunc && createdBy.length > CREATED_BY_LENGTH;
  const createdAt = rfc3339(step.Created);
  const age = step.Created > 0 ? `${humanDuration(nowMs - step.Created * 1000)} ago` : "N/A";
  return {
    ID: trunc ? step.Id.replace("sha256:", "").slice(0, ID_LENGTH) : step.Id,
    CreatedSince: human ? age : createdAt,
    CreatedAt: createdAt,
    CreatedBy: isLong ? `${createdBy.slice(0, CREATED_BY_LENGTH - 1)}…` : createdBy,
    Size: human ? humanDiskSize(step.Size) : String(step.Size),
    Comment: step.Comment,
  };
}

/** With the offset of this machine, as Go writes it. */
function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}
