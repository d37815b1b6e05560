import { NameView, type Zone, ZoneBuilder } from "../dns/name-view.ts";
import { type Attachment, addressesOf, type Endpoint, type LocalNetwork } from "../types.ts";
import { dnsNames } from "./dns-names.ts";
import { findLinked } from "./links.ts";
import { isPredefined } from "./new-network.ts";

/** The names of a network: whatever the containers that run in it are called there. */
export function planLocalZone(
  { id, name: network }: Pick<LocalNetwork, "id" | "name">,
  attachments: Iterable<Attachment>,
): Zone {
  const zone = new ZoneBuilder(network);
  if (isPredefined(network)) return zone;
  for (const attachment of attachments)
    for (const endpoint of attachment.endpoints) {
      if (endpoint.networkId !== id) continue;
      const addresses = addressesOf(endpoint);
      for (const name of dnsNames(attachment, network, endpoint.aliases)) zone.add(name, addresses);
      zone.name(addresses, attachment.name);
    }
  return zone;
}

/** The names that one container alone has for others, in the networks they share. */
export function planLinkZone({ endpoints }: Attachment, attachments: readonly Attachment[]): Zone {
  const addresses = new Map<string, readonly string[]>();
  for (const { links, networkId } of endpoints)
    for (const link of links) {
      const [ref = "", alias = ""] = link.split(":");
      const there = findLinked(attachments, ref)?.endpoints.find(
        (one) => one.networkId === networkId,
      );
      if (there !== undefined) addresses.set(alias.toLowerCase(), addressesOf(there));
    }
  return { addresses, names: new Map() };
}

/** Whether a container has names to ask for: in the networks every machine has there are none. */
export function hasNames(endpoints: readonly Endpoint[]): boolean {
  return endpoints.some(({ networkName }) => !isPredefined(networkName));
}

/** All a container knows: its own links, then its networks one after the other. */
export function planNameView(
  attachment: Attachment,
  attachments: readonly Attachment[],
  zoneOf: (networkId: string) => Zone | undefined,
): NameView {
  const zones = attachment.endpoints.flatMap(({ networkId }) => zoneOf(networkId) ?? []);
  return new NameView([planLinkZone(attachment, attachments), ...zones]);
}
