import { ClusterError } from "./errors.ts";

/** What a container's log may be called by. */
export interface LogTagFacts {
  readonly id: string;
  /** Without a slash before it. */
  readonly name: string;
  readonly imageName: string;
  /** A digest: `sha256:…`. */
  readonly imageId: string;
}

const SHORT_ID_LENGTH = 12;
const FIELD = /\{\{-?\s*\.(\w+)\s*-?\}\}/g;
const TAG_LENGTH_MAX = 1024;

/** Docker's own when nobody says one. */
export const DEFAULT_LOG_TAG = "{{.ID}}";

/**
 * What the log option `tag` is for one container: Go's templates as far as they only name a field.
 *
 * @throws {ClusterError} InvalidArgument for anything else in braces, or a field that is none.
 * Source: moby, daemon/logger/loginfo.go.
 */
export function expandLogTag(tag: string, facts: LogTagFacts): string {
  const { id, name, imageName, imageId } = facts;
  const fullImageId = imageId.replace(/^sha256:/, "");
  const fields: Readonly<Record<string, string>> = {
    ID: id.slice(0, SHORT_ID_LENGTH),
    FullID: id,
    ContainerID: id,
    Name: name,
    ContainerName: `/${name}`,
    ImageName: imageName,
    ContainerImageName: imageName,
    ImageID: fullImageId.slice(0, SHORT_ID_LENGTH),
    ImageFullID: fullImageId,
    ContainerImageID: imageId,
    DaemonName: "muster",
  };
  if (tag.length > TAG_LENGTH_MAX || tag.replace(FIELD, "").includes("{{")) throw badTag(tag);
  return tag.replace(FIELD, (_, field: string) => {
    const value = fields[field];
    if (value === undefined || !Object.hasOwn(fields, field)) throw badTag(tag);
    return value;
  });
}

function badTag(tag: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid log tag ${JSON.stringify(tag.slice(0, 100))}: use texts and {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageName}}, {{.ImageID}}, {{.ImageFullID}}, {{.DaemonName}}`,
  );
}
