import type { Attachment } from "../types.ts";
import { isPredefined } from "./new-network.ts";

const SHORT_ID_LENGTH = 12;

/**
 * What a container is called in a network: its name, its aliases, its short id, its hostname if it was given one.
 *
 * Nothing in the networks every machine has, where there are no names. Source: moby, buildEndpointDNSNames.
 */
export function dnsNames(
  { name, hostname, containerId }: Pick<Attachment, "name" | "hostname" | "containerId">,
  network: string,
  aliases: readonly string[],
): string[] {
  if (isPredefined(network)) return [];
  const all = [name, ...aliases, containerId.slice(0, SHORT_ID_LENGTH), hostname];
  return [...new Set(all.filter((one) => one !== ""))];
}
