import { ipv4Bytes } from "../../linux/netlink/address.ts";
import { closeSocket, holdPort } from "../../linux/socket.ts";
import type { PortSockets } from "./host-ports.ts";

/** Sockets of the daemon's own namespace. */
export const portSockets: PortSockets = {
  hold: ({ protocol, hostAddress, hostPort }) =>
    holdPort(protocol, ipv4Bytes(hostAddress), hostPort).fd,
  release: closeSocket,
};
