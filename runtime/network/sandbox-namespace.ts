import { setUp } from "../linux/netlink/link.ts";
import { NetlinkSocket, Protocol } from "../linux/netlink/socket.ts";
import { createNamespace } from "../linux/netns.ts";
import { setSysctl } from "../linux/sysctl.ts";
import { LOOPBACK_INDEX } from "./plan/loopback.ts";

const NO_IPV6 = "net/ipv6/conf/default/disable_ipv6";

/** Makes the namespace of a sandbox with nothing but its loopback. */
export function createSandboxNamespace(path: string): void {
  createNamespace(path, () => {
    // Our networks carry IPv4; link-local IPv6 would only cost packets and delay.
    setSysctl(NO_IPV6, "1");
    const socket = new NetlinkSocket(Protocol.Route);
    try {
      socket.run([setUp(LOOPBACK_INDEX)]);
    } finally {
      socket.close();
    }
  });
}
