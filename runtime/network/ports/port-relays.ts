import { liftFd } from "../../linux/descriptors.ts";
import { isIpv6 } from "./host-port.ts";
import type { HostPorts } from "./host-ports.ts";
import { isRelayed } from "./port-places.ts";
import { type RelayParts, relayTcp, relayUdp, type StopRelay } from "./relay.ts";
import type { Publication } from "./types.ts";

/** Not one of those that programs expect at their start. */
const LOWEST_FD = 3;

/** The relays of all published ports of IPv6, by their containers. */
export class PortRelays {
  readonly #parts: RelayParts;
  readonly #stops = new Map<string, StopRelay[]>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Relays from the ports of a container that it has at `held`, until `stop`; they must be stopped before they are given back. */
  start(publication: Publication, held: Pick<HostPorts, "handleOf">): void {
    const { containerId, ports, ipv6 } = publication;
    const stops: StopRelay[] = [];
    this.#stops.set(containerId, stops);
    for (const one of ports) {
      const handle = isIpv6(one) && isRelayed(one) ? held.handleOf(one) : undefined;
      if (handle === undefined) continue;
      const target = { address: ipv6?.address ?? publication.address, port: one.port };
      const { fd } = liftFd(handle, LOWEST_FD);
      const relay = one.protocol === "udp" ? relayUdp : relayTcp;
      stops.push(relay(fd, target, this.#parts));
    }
  }

  /** No error when there is none. */
  stop(containerId: string): void {
    for (const stop of this.#stops.get(containerId) ?? []) stop();
    this.#stops.delete(containerId);
  }

  close(): void {
    for (const id of [...this.#stops.keys()]) this.stop(id);
  }
}
