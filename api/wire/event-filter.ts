import type { EngineEvent } from "../backends/events.ts";
import { hasLabels } from "../http/filter-values.ts";
import type { Filters } from "../http/filters.ts";

/** Keys of filters that name one object by the beginning of its id or name. */
const OBJECTS = [
  ...["container", "daemon", "network", "node", "plugin"],
  ...["secret", "service", "config", "volume"],
];

export const EVENT_FILTERS = [...OBJECTS, "event", "image", "label", "scope", "type"];

/** Actions with a detail behind a colon, as `health_status: healthy`: filters name them without. */
const DETAILED = ["health_status", "exec_create", "exec_start"];

/** Whether an event is one that was asked for. Source: moby, daemon/events/filter.go. */
export function eventFits(filters: Filters, event: EngineEvent): boolean {
  const { type, action, actorId, attributes, scope } = event;
  const name = attributes.name ?? "";
  return (
    fitsAction(filters.event, action) &&
    isOneOf(filters.type, type) &&
    isOneOf(filters.scope, scope) &&
    OBJECTS.every((key) => beginsLike(filters[key], actorId) || beginsLike(filters[key], name)) &&
    fitsImage(filters.image, event) &&
    hasLabels(attributes, filters.label)
  );
}

function fitsAction(wanted: readonly string[] | undefined, action: string): boolean {
  const fuzzy = wanted?.some((word) => DETAILED.includes(word)) === true;
  return fuzzy ? beginsLike(wanted, action) : isOneOf(wanted, action);
}

/** Of a container's events too; with or without the tag. */
function fitsImage(
  wanted: readonly string[] | undefined,
  { type, actorId, attributes }: EngineEvent,
): boolean {
  const image = (type === "image" ? attributes.name : attributes.image) ?? "";
  const names = [actorId, image, withoutTag(actorId), withoutTag(image)];
  return names.some((name) => isOneOf(wanted, name));
}

function isOneOf(wanted: readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || wanted.length === 0 || wanted.includes(value);
}

function beginsLike(wanted: readonly string[] | undefined, value: string): boolean {
  if (wanted === undefined || wanted.length === 0) return true;
  return wanted.some((word) => value.startsWith(word));
}

function withoutTag(name: string): string {
  const slash = name.lastIndexOf("/");
  return name.slice(0, slash + 1) + name.slice(slash + 1).replace(/[:@].*$/, "");
}
