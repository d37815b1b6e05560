import { decodeFlow, deleteFlow, dumpFlows, type Flow } from "../linux/netlink/conntrack.ts";
import { isGone, NetlinkSocket, Protocol } from "../linux/netlink/socket.ts";
import { inNamespace } from "../linux/netns.ts";

/** As in IP headers. The flows of this protocol do not tell their end. */
export const UDP = 17;

/**
 * Forgets known flows of a family in a namespace, so that the next packet of each is looked at as a new one.
 *
 * Reads the machine's whole flow table: about 12 ms. Ask only when there may be such flows.
 */
export function forgetFlows(
  namespaceFd: number,
  isStale: (flow: Flow) => boolean,
  family: Flow["family"] = "ip",
): void {
  const socket = inNamespace(namespaceFd, () => new NetlinkSocket(Protocol.Netfilter));
  try {
    const stale = socket.dump(dumpFlows(family)).map(decodeFlow).filter(isStale);
    const failed = socket.batch(stale.map(deleteFlow)).find((failure) => !isGone(failure));
    if (failed !== undefined) throw failed.error;
  } finally {
    socket.close();
  }
}
