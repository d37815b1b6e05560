import type { Flow } from "../../linux/netlink/conntrack.ts";
import { UDP } from "../flows.ts";
import { ANY_ADDRESS } from "./host-port.ts";
import type { Publication } from "./types.ts";

/*
 * A flow that the kernel knows goes where its first packet went. Others tell their end, but one of UDP goes on as long as
 * somebody sends: it must be forgotten when a port begins or ceases to lead to a container. Pure.
 */

/** Whether any of its ports can have flows that go elsewhere before, or outlive it. */
export function hasUdp({ ports }: Publication): boolean {
  return ports.some(({ protocol }) => protocol === "udp");
}

/** Picks flows that were sent on to the container. */
export function leadsTo({ address }: Publication): (flow: Flow) => boolean {
  return ({ protocol, destination, answeredBy }) =>
    protocol === UDP && answeredBy === address && destination !== address;
}

/**
 * Picks flows to its ports that began before they were published.
 *
 * @param own addresses of this machine: what goes to the same port of another is not meant.
 */
export function missesIt(
  { address, ports }: Publication,
  own: ReadonlySet<string>,
): (flow: Flow) => boolean {
  const udp = ports.filter(({ protocol }) => protocol === "udp");
  return ({ protocol, destination, destinationPort, answeredBy }) =>
    protocol === UDP &&
    answeredBy !== address &&
    udp.some(
      ({ hostAddress, hostPort }) =>
        hostPort === destinationPort &&
        (hostAddress === ANY_ADDRESS ? own.has(destination) : hostAddress === destination),
    );
}
