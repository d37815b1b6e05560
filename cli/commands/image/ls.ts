import type { Command } from "commander";
import { userSettings } from "../../client/user-settings.ts";
import type { Context } from "../../context.ts";
import { collect, filterQuery } from "../../flags/filters.ts";
import { addRefused } from "../../flags/refused.ts";
import { goTime, humanDiskSize, humanDuration, humanSize } from "../../output/human.ts";
import { formatList, type Row } from "../../output/list.ts";

const COLUMNS = [
  { header: "REPOSITORY", field: "Repository" },
  { header: "TAG", field: "Tag" },
  { header: "IMAGE ID", field: "ID" },
  { header: "CREATED", field: "CreatedSince" },
  { header: "SIZE", field: "Size" },
];
const DIGEST = { header: "DIGEST", field: "Digest" };

const ID_LENGTH = 12;
const NONE = "<none>";

interface WireImage {
  readonly Id: string;
  /** Older daemons give null for none. */
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
}

interface ListFlags {
  readonly all?: boolean;
  readonly filter?: string[];
  readonly format?: string;
  readonly quiet?: boolean;
  readonly digests?: boolean;
  readonly trunc: boolean;
}

/** `image ls`, or `images` at the top. */
export function addImageLs(parent: Command, context: Context, name = "ls"): void {
  const command = parent.command(name).description("List the images of this node");
  addRefused(command, "use 'muster images -a'", ["--tree"]);
  if (name === "ls") command.alias("list");
  command
    .argument("[repository[:tag]]", "Only these; * stands for anything")
    .option("-f, --filter <key=value>", "before, since, until, dangling, label, reference", collect)
    .option("-a, --all", "Steps of builds too")
    .option("--format <format>", "table, json or a Go template")
    .option("--digests", "A column with digests")
    .option("--no-trunc", "Whole ids")
    .option("-q, --quiet", "Only ids")
    .action(async (reference: string | undefined, flags: ListFlags) => {
      const fixed = reference === undefined ? {} : { reference: [reference] };
      const filters = filterQuery(flags.filter, fixed);
      const images = await context
        .client()
        .get<WireImage[]>("/images/json", { filters, all: flags.all });
      const rows = images.flatMap((image) => imageRows(image, { ...flags, nowMs: Date.now() }));
      const [repository, tag, ...rest] = COLUMNS;
      const withDigest = [repository, tag, DIGEST, ...rest] as typeof COLUMNS;
      const columns = flags.digests === true ? withDigest : COLUMNS;
      context.print(
        formatList({ columns, rows }, { format: userSettings(context).imagesFormat, ...flags }),
      );
    });
}

/** One row a name; an image without a tag has one too. */
export function imageRows(
  image: WireImage,
  { trunc, nowMs }: { readonly trunc: boolean; readonly nowMs: number },
): Row[] {
  const digests = new Map(image.RepoDigests?.map((name) => name.split("@") as [string, string]));
  const untagged = [...digests.keys(), NONE].slice(0, 1).map((name) => `${name}:${NONE}`);
  const tags = image.RepoTags ?? [];
  const names = tags.length > 0 ? tags : untagged;
  return names.map((name) => {
    const colon = name.lastIndexOf(":");
    const repository = name.slice(0, colon);
    return {
      Repository: repository,
      Tag: name.slice(colon + 1),
      Digest: digests.get(repository) ?? NONE,
      ID: trunc ? image.Id.replace("sha256:", "").slice(0, ID_LENGTH) : image.Id,
      CreatedAt: goTime(image.Created * 1000),
      CreatedSince: `${humanDuration(nowMs - image.Created * 1000)} ago`,
      Size: humanDiskSize(image.Size),
      VirtualSize: humanSize(image.Size),
      ...{ Containers: "N/A", SharedSize: "N/A", UniqueSize: "N/A" },
    };
  });
}
