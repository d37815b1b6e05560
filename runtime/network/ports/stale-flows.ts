import type { Flow } from "../../linux/netlink/conntrack.ts";
import { UDP } from "../flows.ts";
import { isEverywhere } from "./host-port.ts";
import type { Leading } from "./leading.ts";

/*
 * A flow that the kernel knows goes where its first packet went. Others tell their end, but one of UDP goes on as long as
 * somebody sends: it must be forgotten when a port begins or ceases to lead to a container. Pure.
 */

/** Whether any of its ports can have flows that go elsewhere before, or outlive it. */
export function hasUdp({ ports }: Pick<Leading, "ports">): boolean {
  return ports.some(({ protocol }) => protocol === "udp");
}

/** Picks flows that were sent on to the container. */
export function leadsTo({ address }: Leading): (flow: Flow) => boolean {
  return ({ protocol, destination, answeredBy }) =>
    protocol === UDP && answeredBy === address && destination !== address;
}

/**
 * Picks flows to its ports that began before they were published.
 *
 * @param own addresses of this machine: what goes to the same port of another is not meant.
 */
export function missesIt(
  { address, ports }: Leading,
  own: ReadonlySet<string>,
): (flow: Flow) => boolean {
  const udp = ports.filter(({ protocol }) => protocol === "udp");
  return ({ protocol, destination, destinationPort, answeredBy }) =>
    protocol === UDP &&
    answeredBy !== address &&
    udp.some(
      ({ hostAddress, hostPort }) =>
        hostPort === destinationPort &&
        (isEverywhere({ hostAddress }) ? own.has(destination) : hostAddress === destination),
    );
}
