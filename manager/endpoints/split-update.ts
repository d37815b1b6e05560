import type { EndpointUpdate } from "../../proto/gen/endpoints.ts";
import { emptyUpdate } from "./network-table.ts";

/** Entries in one message at most: some 50 KiB, well below what a stream takes at once. */
export const UPDATE_ENTRIES_MAX = 256;

/** Cuts an update into parts of at most `entriesMax` entries, to be applied together; the last says so. */
export function splitUpdate(
  update: EndpointUpdate,
  entriesMax: number = UPDATE_ENTRIES_MAX,
): EndpointUpdate[] {
  const parts: EndpointUpdate[] = [];
  let used = entriesMax;
  const nextPart = (): EndpointUpdate => {
    const { networkId, version, fromVersion, removed } = update;
    const part = { ...emptyUpdate(networkId, version), fromVersion, removed, last: false };
    parts.push(part);
    used = 0;
    return part;
  };
  let part = nextPart();
  part.network = update.network;
  for (const key of LISTS) {
    for (const entry of update[key]) {
      if (used >= entriesMax) part = nextPart();
      // Both lists are of one key, so of one type.
      (part[key] as unknown[]).push(entry);
      used++;
    }
  }
  part.last = true;
  return parts;
}

const LISTS = [
  "removeServiceIds",
  "removeTaskIds",
  "removeNodeIds",
  "putServices",
  "putEndpoints",
  "putNodes",
] as const;
