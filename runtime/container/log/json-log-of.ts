import { logAttributes } from "../../../core/log-attributes.ts";
import type { ContainerPaths } from "../paths.ts";
import type { ContainerRecord } from "../record.ts";
import { JsonLog } from "./json-log.ts";
import { planLogLimits } from "./log-files.ts";

/** Whether a container's log is there for others to read, as with Docker's driver of that name. */
export function isJsonFile({ config }: Pick<ContainerRecord, "config">): boolean {
  return ["", "json-file"].includes(config.log.driver);
}

/** Undefined where another driver was asked for. */
export function jsonLogOf(record: ContainerRecord, paths: ContainerPaths): JsonLog | undefined {
  if (!isJsonFile(record)) return undefined;
  const { id, imageId, config } = record;
  return new JsonLog({
    source: paths.logFile,
    target: paths.jsonLogFile,
    position: paths.jsonLogPosition,
    limits: planLogLimits(config.log),
    attributes: logAttributes({ id, imageId, settings: config }),
  });
}
