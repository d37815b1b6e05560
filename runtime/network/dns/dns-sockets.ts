import { ipv4Bytes } from "../../linux/netlink/address.ts";
import { type BoundSocket, bindUdp, closeSocket, listenTcp } from "../../linux/socket.ts";
import { DNS_ADDRESS, type DnsPorts } from "../plan/dns-rules.ts";
import type { NameServerSockets } from "./name-server.ts";

/** Opens a name server's sockets in the current namespace: at these ports if they are free; 0: any. */
export function bindDns(wanted: DnsPorts): NameServerSockets {
  const address = ipv4Bytes(DNS_ADDRESS);
  const udp = bindWanted((port) => bindUdp(address, port), wanted.udp);
  try {
    return { udp, tcp: bindWanted((port) => listenTcp(address, port), wanted.tcp) };
  } catch (error) {
    closeSocket(udp.fd);
    throw error;
  }
}

/** The container may have taken the port meanwhile; any other will do. */
function bindWanted(bind: (port: number) => BoundSocket, port: number): BoundSocket {
  if (port === 0) return bind(0);
  try {
    return bind(port);
  } catch {
    return bind(0);
  }
}
