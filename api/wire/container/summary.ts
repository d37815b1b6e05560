import type { ContainerFacts, ContainerSizes } from "../../backends/containers.ts";
import { describeStatus, statusOf } from "../../containers/state.ts";
import { commandOf, labelsOf } from "./config.ts";
import { writeMountPoints } from "./mount-points.ts";
import { writeNetworks } from "./network-settings.ts";
import { writePortList } from "./ports.ts";

const SECOND_MS = 1000;
/** Aliases are shown as they were asked for, to all. */
const NEWEST_MINOR = Number.POSITIVE_INFINITY;

/** Docker's ContainerSummary: a line of `docker ps`. */
export function writeSummary(
  container: ContainerFacts,
  nowMs: number,
  sizes: ContainerSizes | undefined,
): Record<string, unknown> {
  const { settings, image, networkMode } = container;
  return {
    Id: container.id,
    Names: [`/${settings.name}`],
    Image: settings.image,
    ImageID: container.imageId,
    Command: writeCommand(commandOf(settings, image)),
    Created: Math.floor(container.createdAtMs / SECOND_MS),
    Ports: writePortList(container),
    ...(sizes === undefined ? {} : { SizeRw: sizes.writtenBytes, SizeRootFs: sizes.rootfsBytes }),
    Labels: labelsOf(container),
    State: statusOf(container),
    Status: describeStatus(container, nowMs),
    HostConfig: {
      NetworkMode: networkMode,
      ...(Object.keys(settings.annotations).length > 0
        ? { Annotations: settings.annotations }
        : {}),
    },
    NetworkSettings: { Networks: writeNetworks(container, NEWEST_MINOR) },
    Mounts: writeMountPoints(container),
  };
}

function writeCommand({ entrypoint, cmd }: ReturnType<typeof commandOf>): string {
  const [path = "", ...args] = [...entrypoint, ...cmd];
  return [path, ...args.map((word) => (word.includes(" ") ? `'${word}'` : word))].join(" ");
}
