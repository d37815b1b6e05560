import { createReadStream } from "node:fs";
import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { humanBytes, humanDuration } from "../../output/human.ts";
import { formatList, type Row } from "../../output/list.ts";

const COLUMNS = [
  { header: "REPOSITORY", field: "Repository" },
  { header: "TAG", field: "Tag" },
  { header: "IMAGE ID", field: "ID" },
  { header: "CREATED", field: "CreatedSince" },
  { header: "SIZE", field: "Size" },
];

const ID_LENGTH = 12;
const NONE = "<none>";

interface WireImage {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly Created: number;
  readonly Size: number;
}

export function addImageLoad(parent: Command, context: Context): void {
  parent
    .command("load")
    .description("Bring an image to this node from an archive of 'docker save' or of OCI's layout")
    .option("-i, --input <file>", "The archive (default: standard input)")
    .action(async (options: { input?: string }) => {
      const archive = options.input === undefined ? process.stdin : await openFile(options.input);
      const answer = await context.client().upload("/images/load", archive);
      for (const line of answer.trim().split("\n")) {
        context.print((JSON.parse(line) as { stream: string }).stream);
      }
    });
}

export function addImageLs(parent: Command, context: Context): void {
  parent
    .command("ls")
    .alias("list")
    .description("List the images of this node")
    .option("--format <format>", "table, json or a Go template")
    .option("-q, --quiet", "Only ids")
    .action(async (options: { format?: string; quiet?: boolean }) => {
      const images = await context.client().get<WireImage[]>("/images/json");
      const rows = images.flatMap((image) => imageRows(image, Date.now()));
      context.print(formatList({ columns: COLUMNS, rows }, options));
    });
}

/** One row a name; an image without a name has one too. */
function imageRows(image: WireImage, nowMs: number): Row[] {
  const names = image.RepoTags.length > 0 ? image.RepoTags : [`${NONE}:${NONE}`];
  return names.map((name) => {
    const colon = name.lastIndexOf(":");
    return {
      Repository: name.slice(0, colon),
      Tag: name.slice(colon + 1),
      ID: image.Id.replace("sha256:", "").slice(0, ID_LENGTH),
      CreatedSince: `${humanDuration(nowMs - image.Created * 1000)} ago`,
      Size: humanBytes(image.Size),
    };
  });
}

/** @throws {ClusterError} `NotFound` when it cannot be read. */
async function openFile(path: string): Promise<NodeJS.ReadableStream> {
  const stream = createReadStream(path);
  return new Promise((resolve, reject) => {
    stream.once("open", () => resolve(stream));
    stream.once("error", (cause: NodeJS.ErrnoException) => {
      const message = `cannot read the archive ${path} (${cause.code}): give the path of a file`;
      reject(new ClusterError("NotFound", message, { cause }));
    });
  });
}
