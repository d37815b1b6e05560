import {
  Endpoint,
  EndpointNode,
  EndpointService,
  type EndpointUpdate,
} from "../../proto/gen/endpoints.ts";
import { CHUNK_BYTES_MAX } from "../../proto/limits.ts";
import { emptyUpdate } from "./network-table.ts";

/** What a part has beside its entries: ids, versions and the network itself, whose spec is bounded. */
const HEAD_BYTES = 32 * 1024;
/** Tag and length of an entry. */
const FIELD_BYTES = 8;

/** Cuts an update into parts of at most `bytesMax`, to be applied together; the last says so. An entry is never cut. */
export function splitUpdate(
  update: EndpointUpdate,
  bytesMax: number = CHUNK_BYTES_MAX - HEAD_BYTES,
): EndpointUpdate[] {
  const parts: EndpointUpdate[] = [];
  let used = 0;
  const nextPart = (): EndpointUpdate => {
    const { networkId, version, fromVersion, removed } = update;
    const part = { ...emptyUpdate(networkId, version), fromVersion, removed, last: false };
    parts.push(part);
    used = 0;
    return part;
  };
  let part = nextPart();
  part.network = update.network;
  for (const { key, bytesOf } of LISTS) {
    for (const entry of update[key]) {
      const bytes = bytesOf(entry as never) + FIELD_BYTES;
      if (used > 0 && used + bytes > bytesMax) part = nextPart();
      // Both lists are of one key, so of one type.
      (part[key] as unknown[]).push(entry);
      used += bytes;
    }
  }
  part.last = true;
  return parts;
}

const idBytes = (id: string) => id.length;

const LISTS = [
  { key: "removeServiceIds", bytesOf: idBytes },
  { key: "removeTaskIds", bytesOf: idBytes },
  { key: "removeNodeIds", bytesOf: idBytes },
  {
    key: "putServices",
    bytesOf: (one: EndpointService) => EndpointService.encode(one).finish().length,
  },
  { key: "putEndpoints", bytesOf: (one: Endpoint) => Endpoint.encode(one).finish().length },
  { key: "putNodes", bytesOf: (one: EndpointNode) => EndpointNode.encode(one).finish().length },
] as const;
