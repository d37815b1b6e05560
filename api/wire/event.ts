import type { EngineEvent } from "../backends/events.ts";

const NS_PER_S = 1_000_000_000n;
/** Types that had events before there were Actors: old clients read `status`, `id` and `from`. */
const LEGACY_TYPES = ["container", "image"];

/** One event as a line of JSON; by hand, because nanoseconds since 1970 are more than a JavaScript number holds. */
export function writeEvent(event: EngineEvent): string {
  const { type, action, actorId, attributes, scope, timeNs } = event;
  const image = type === "container" ? attributes.image : undefined;
  const legacy = {
    status: action,
    ...(actorId === "" ? {} : { id: actorId }),
    ...(image === undefined ? {} : { from: image }),
  };
  const fields = {
    ...(LEGACY_TYPES.includes(type) ? legacy : {}),
    Type: type,
    Action: action,
    Actor: { ID: actorId, Attributes: attributes },
    scope,
    time: Number(timeNs / NS_PER_S),
  };
  return `${JSON.stringify(fields).slice(0, -1)},"timeNano":${timeNs}}\n`;
}
