/** The address in what gRPC calls a peer: `10.0.0.1:4711` or `[fd00::1]:4711`. */
export function peerHost(peer: string): string {
  return peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
