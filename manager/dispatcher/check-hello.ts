import { isIPv4, isIPv6 } from "node:net";
import { ClusterError } from "../../core/errors.ts";
import type { Hello } from "../../proto/gen/dispatcher.ts";
import { NodeDescription } from "../../proto/gen/objects.ts";
import { ENDPOINT_VERSIONS_MAX } from "../../proto/limits.ts";

/** Encoded bytes of what a node says of itself; it is stored and shown in lists. */
export const DESCRIPTION_BYTES_MAX = 64 * 1024;
/** Whether what a node says of itself may be stored and told to others. @throws {ClusterError} `InvalidArgument`. */
export function checkHello({ description, addr, endpointVersions }: Hello): void {
  const bytes = description === undefined ? 0 : NodeDescription.encode(description).finish().length;
  if (bytes > DESCRIPTION_BYTES_MAX) {
    refuse(
      `the node describes itself in ${bytes} bytes, at most ${DESCRIPTION_BYTES_MAX} are stored; give it fewer labels`,
    );
  }
  if (description !== undefined && !isPlain(wordsOf(description))) {
    refuse("the node describes itself with control characters, which would be shown to people");
  }
  if (addr !== "" && !isNodeAddress(addr)) refuse("its address is no address of a node");
  if (endpointVersions.length > ENDPOINT_VERSIONS_MAX) {
    refuse(`it names ${endpointVersions.length} networks, at most ${ENDPOINT_VERSIONS_MAX} can be`);
  }
}

function refuse(why: string): never {
  throw new ClusterError("InvalidArgument", `cannot open a session: ${why}`);
}

function wordsOf({ hostname, platform, engineVersion, engineLabels }: NodeDescription): string[] {
  const { os = "", architecture = "" } = platform ?? {};
  return [hostname, os, architecture, engineVersion, ...Object.entries(engineLabels).flat()];
}

function isPlain(words: readonly string[]): boolean {
  return !words.some((word) => /\p{Cc}/u.test(word));
}

/** Other nodes send packets there, and managers ask whether its kernel answers. */
function isNodeAddress(addr: string): boolean {
  const [address = ""] = addr.split("%");
  if (isIPv4(address)) return address !== "0.0.0.0" && Number.parseInt(address, 10) < 224;
  return isIPv6(address) && !/^[0:]+$/.test(address) && !/^ff/i.test(address);
}
