import { addressBytes } from "../../linux/netlink/address.ts";
import { bindUdp, closeSocket, holdPort } from "../../linux/socket.ts";
import type { PortSockets } from "./host-ports.ts";

/** Sockets of the daemon's own namespace. */
export const portSockets: PortSockets = {
  hold: ({ protocol, hostAddress, hostPort }) =>
    holdPort(protocol, addressBytes(hostAddress), hostPort).fd,
  release: closeSocket,
};

/** Whether programs of this machine can listen on IPv6: its kernel has it, and nobody has switched it off. */
export function listensOnIpv6(): boolean {
  try {
    closeSocket(bindUdp(addressBytes("::1"), 0).fd);
    return true;
  } catch {
    return false;
  }
}
