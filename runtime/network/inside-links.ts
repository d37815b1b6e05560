import { decodeLink, dumpLinks, setUp } from "../linux/netlink/link.ts";
import { addAddress, addRoute } from "../linux/netlink/route.ts";
import { NetlinkSocket, Protocol } from "../linux/netlink/socket.ts";
import { inNamespace } from "../linux/netns.ts";
import { chooseGateway } from "./plan/gateway-choice.ts";
import type { Endpoint } from "./types.ts";

/**
 * Brings a container's interfaces to what its endpoints say: addresses, up, and the way out. What is so already stays.
 *
 * Interfaces of endpoints that are not there are passed over.
 */
export function settleInside(namespaceFd: number, endpoints: readonly Endpoint[]): void {
  const socket = inNamespace(namespaceFd, () => new NetlinkSocket(Protocol.Route));
  try {
    const indexes = new Map(
      socket
        .dump(dumpLinks())
        .map(decodeLink)
        .map(({ name, index }) => [name, index]),
    );
    const out = chooseGateway(endpoints);
    const steps = endpoints.flatMap((endpoint) => {
      const index = indexes.get(endpoint.interface);
      if (index === undefined) return [];
      const { address, prefixLength, gateway } = endpoint;
      const route = { destination: "0.0.0.0", prefixLength: 0, gateway, index };
      return [
        addAddress({ index, address, prefixLength }),
        setUp(index),
        ...(endpoint === out ? [addRoute(route)] : []),
      ];
    });
    socket.run(steps);
  } finally {
    socket.close();
  }
}
