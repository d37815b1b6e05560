import { humanDiskSize, humanDuration, humanSize } from "../../output/human.ts";
import { formatTable } from "../../output/table.ts";

const ID_LENGTH = 12;
const COMMAND_LENGTH = 20;
const SECOND_MS = 1000;
const CACHE_COLUMNS = ["CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"];
const NONE = "<none>";

/** As much of `/system/df` as is shown of each thing. */
export interface WireEach {
  readonly Images: readonly {
    readonly Id: string;
    readonly RepoTags: readonly string[] | null;
    readonly Created: number;
    readonly Size: number;
    readonly SharedSize: number;
    readonly Containers: number;
  }[];
  readonly Containers: readonly {
    readonly Id: string;
    readonly Image: string;
    readonly Command: string;
    readonly Created: number;
    readonly Status: string;
    readonly Names: readonly string[];
    readonly SizeRw?: number;
    readonly Mounts?: readonly { readonly Type: string }[];
  }[];
  readonly Volumes: readonly {
    readonly Name: string;
    readonly UsageData: { readonly Size: number; readonly RefCount: number };
  }[];
}

/** `muster system df -v`. Source: docker/cli, command/formatter/disk_usage.go. */
export function writeEach(usage: WireEach, nowMs: number): string {
  return [
    section("Images", imageTable(usage.Images, nowMs)),
    section("Containers", containerTable(usage.Containers, nowMs)),
    section("Local Volumes", volumeTable(usage.Volumes)),
    `Build cache usage: 0B\n\n${formatTable([CACHE_COLUMNS])}`,
  ].join("\n");
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return `${title} space usage:\n\n${formatTable(rows)}`;
}

function imageTable(images: WireEach["Images"], nowMs: number): string[][] {
  const head = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE"];
  const rows = images.map((image) => {
    const [name = `${NONE}:${NONE}`] = image.RepoTags ?? [];
    const colon = name.lastIndexOf(":");
    const shared = Math.max(image.SharedSize, 0);
    return [
      ...[name.slice(0, colon), name.slice(colon + 1)],
      image.Id.replace("sha256:", "").slice(0, ID_LENGTH),
      ago(image.Created, nowMs),
      humanDiskSize(image.Size),
      ...[shared, image.Size - shared].map(humanSize),
      String(image.Containers),
    ];
  });
  return [[...head, "CONTAINERS"], ...rows];
}

function containerTable(containers: WireEach["Containers"], nowMs: number): string[][] {
  const head = ["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS"];
  const rows = containers.map((container) => {
    const { Command: command, Mounts = [] } = container;
    const isLong = command.length > COMMAND_LENGTH;
    return [
      container.Id.slice(0, ID_LENGTH),
      container.Image,
      `"${isLong ? `${command.slice(0, COMMAND_LENGTH - 1)}…` : command}"`,
      String(Mounts.filter(({ Type }) => Type === "volume").length),
      humanSize(container.SizeRw ?? 0),
      ago(container.Created, nowMs),
      container.Status,
      container.Names.map((name) => name.replace(/^\//, "")).join(","),
    ];
  });
  return [[...head, "NAMES"], ...rows];
}

function volumeTable(volumes: WireEach["Volumes"]): string[][] {
  const rows = volumes.map(({ Name, UsageData }) => [
    ...[Name, String(UsageData.RefCount), humanSize(UsageData.Size)],
  ]);
  return [["VOLUME NAME", "LINKS", "SIZE"], ...rows];
}

function ago(createdSeconds: number, nowMs: number): string {
  return `${humanDuration(nowMs - createdSeconds * SECOND_MS)} ago`;
}
