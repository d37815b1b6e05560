import { ipv4Bytes, ipv4Text, macBytes, macText } from "./address.ts";
import { attribute, decodeAttributes, Flag, type Message, type Request } from "./message.ts";

/**
 * Who is behind which address: a bridge's or tunnel's forwarding table (FDB) and ARP entries.
 * Source: linux/neighbour.h, iproute2 bridge/fdb.c for the state and flag bits.
 */

const Type = { New: 28, Del: 29, Get: 30 } as const;
const INFO_BYTES = 12;
const AF_INET = 2;
const AF_BRIDGE = 7;
const Attribute = { Destination: 1, Mac: 2, Master: 9 } as const;
const State = { NoArp: 0x40, Permanent: 0x80 } as const;
const NTF_SELF = 0x02;
const NTF_MASTER = 0x04;

/** An entry as we write it; of another shape are the kernel's own. */
export type Neighbour =
  /** Frames for `mac` leave the tunnel to the node at `node`. */
  | { readonly kind: "tunnel"; readonly index: number; readonly mac: string; readonly node: string }
  /** Frames for `mac` leave the bridge through the port `index`. */
  | { readonly kind: "port"; readonly index: number; readonly mac: string }
  /** The tunnel answers ARP for `address` with `mac`. */
  | {
      readonly kind: "arp";
      readonly index: number;
      readonly mac: string;
      readonly address: string;
    };

/** Writes the entry, over the one of the same key if there is one. */
export function putNeighbour(entry: Neighbour): Request {
  return {
    type: Type.New,
    flags: Flag.Ack | Flag.Create | Flag.Replace,
    body: encode(entry),
    action: `add ${describe(entry)}`,
  };
}

export function deleteNeighbour(entry: Neighbour): Request {
  return {
    type: Type.Del,
    flags: Flag.Ack,
    body: encode(entry),
    action: `delete ${describe(entry)}`,
  };
}

/** Asks for the forwarding tables of all bridges and tunnels. */
export function dumpForwarding(): Request {
  const body = info(AF_BRIDGE, 0, 0, 0);
  return { type: Type.Get, flags: Flag.Dump, body, action: "list forwarding entries" };
}

/** Asks for the ARP entries of all interfaces. */
export function dumpArp(): Request {
  const body = info(AF_INET, 0, 0, 0);
  return { type: Type.Get, flags: Flag.Dump, body, action: "list ARP entries" };
}

/** Undefined for entries of a kind we never write: learned ones, a port's own address. */
export function decodeNeighbour(message: Message): Neighbour | undefined {
  const family = message.body.readUInt8(0);
  const index = message.body.readInt32LE(4);
  const state = message.body.readUInt16LE(8);
  const attributes = decodeAttributes(message.body, INFO_BYTES);
  const mac = macText(attributes.get(Attribute.Mac) ?? Buffer.alloc(0));
  const destination = attributes.get(Attribute.Destination);

  if (family === AF_INET)
    return state === State.Permanent && destination?.length === 4
      ? { kind: "arp", index, mac, address: ipv4Text(destination) }
      : undefined;
  if (destination?.length === 4) return { kind: "tunnel", index, mac, node: ipv4Text(destination) };
  return attributes.has(Attribute.Master) && state === State.NoArp
    ? { kind: "port", index, mac }
    : undefined;
}

function encode(entry: Neighbour): Buffer {
  const mac = attribute(Attribute.Mac, macBytes(entry.mac));
  switch (entry.kind) {
    case "tunnel":
      return Buffer.concat([
        info(AF_BRIDGE, entry.index, State.NoArp | State.Permanent, NTF_SELF),
        mac,
        attribute(Attribute.Destination, ipv4Bytes(entry.node)),
      ]);
    case "port":
      // Not Permanent: that would mean the bridge's own address.
      return Buffer.concat([info(AF_BRIDGE, entry.index, State.NoArp, NTF_MASTER), mac]);
    case "arp":
      return Buffer.concat([
        info(AF_INET, entry.index, State.Permanent, 0),
        attribute(Attribute.Destination, ipv4Bytes(entry.address)),
        mac,
      ]);
  }
}

function describe(entry: Neighbour): string {
  switch (entry.kind) {
    case "tunnel":
      return `forwarding of ${entry.mac} to node ${entry.node}`;
    case "port":
      return `forwarding of ${entry.mac} to port ${entry.index}`;
    case "arp":
      return `ARP entry of ${entry.address}`;
  }
}

/** struct ndmsg. */
function info(family: number, index: number, state: number, flags: number): Buffer {
  const bytes = Buffer.alloc(INFO_BYTES);
  bytes.writeUInt8(family, 0);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt16LE(state, 8);
  bytes.writeUInt8(flags, 10);
  return bytes;
}
