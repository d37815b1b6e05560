import type { NftFamily } from "../plan/ruleset.ts";
import { isIpv6 } from "./host-port.ts";
import type { InBridge, Publication, PublishedPort } from "./types.ts";

/** Ports of a container that rules of one family lead to it. */
export interface Leading extends InBridge {
  /** At least one. */
  readonly ports: readonly PublishedPort[];
}

/** @returns undefined when no rule of the family leads there. */
export function leadingOf(publication: Publication, family: NftFamily): Leading | undefined {
  const there = family === "ip" ? publication : publication.ipv6;
  const ports = publication.ports.filter((port) => isIpv6(port) === (family === "ip6"));
  if (there === undefined || ports.length === 0) return undefined;
  const { address, bridge, link, subnet } = there;
  return { address, bridge, link, subnet, ports };
}
