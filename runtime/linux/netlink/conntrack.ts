import { ipText } from "./address.ts";
import { attribute, decodeAttributes, Flag, type Message, type Request } from "./message.ts";

/** Known flows of the namespace. Source: linux/netfilter/nfnetlink_conntrack.h. */

const SUBSYSTEM = 1 << 8;
const Type = { Get: SUBSYSTEM | 1, Delete: SUBSYSTEM | 2 } as const;
const INFO_BYTES = 4;
const AF = { ip: 2, ip6: 10 } as const;
const Attribute = { Original: 1, Reply: 2 } as const;
const Tuple = { Ip: 1, Protocol: 2 } as const;
/** Of IPv4 and of IPv6. */
const Ip = { Source: [1, 3], Destination: [2, 4] } as const;
const Protocol = { Number: 1, DestinationPort: 3 } as const;
const NLA_F_NESTED = 0x8000;

/** A flow: where it was sent to, and who really answers. */
export interface Flow {
  /** As in IP headers: 6 TCP, 17 UDP. */
  readonly protocol: number;
  readonly destination: string;
  /** Of protocols that have ports, else 0. */
  readonly destinationPort: number;
  readonly answeredBy: string;
  readonly family: keyof typeof AF;
  /** The attribute that names it to the kernel. */
  readonly key: Buffer;
}

/** Asks for all flows of a family. */
export function dumpFlows(family: Flow["family"]): Request {
  return { type: Type.Get, flags: Flag.Dump, body: info(family), action: "list flows" };
}

export function decodeFlow(message: Message): Flow {
  const attributes = decodeAttributes(message.body, INFO_BYTES);
  const key = attributes.get(Attribute.Original) ?? Buffer.alloc(0);
  const original = decodeAttributes(key);
  const reply = decodeAttributes(attributes.get(Attribute.Reply) ?? Buffer.alloc(0));
  const protocol = decodeAttributes(original.get(Tuple.Protocol) ?? Buffer.alloc(0));
  return {
    protocol: protocol.get(Protocol.Number)?.readUInt8() ?? 0,
    destination: addressOf(original.get(Tuple.Ip), Ip.Destination),
    destinationPort: protocol.get(Protocol.DestinationPort)?.readUInt16BE() ?? 0,
    answeredBy: addressOf(reply.get(Tuple.Ip), Ip.Source),
    family: message.body.readUInt8(0) === AF.ip6 ? "ip6" : "ip",
    key,
  };
}

/** The next packet of the flow is a new flow. */
export function deleteFlow(flow: Flow): Request {
  return {
    type: Type.Delete,
    flags: Flag.Ack,
    body: Buffer.concat([
      info(flow.family),
      attribute(Attribute.Original | NLA_F_NESTED, flow.key),
    ]),
    action: `forget flow to ${flow.destination}`,
  };
}

function addressOf(ip: Buffer | undefined, types: readonly number[]): string {
  const attributes = decodeAttributes(ip ?? Buffer.alloc(0));
  const address = types.map((type) => attributes.get(type)).find((one) => one !== undefined);
  return address === undefined ? "" : ipText(address);
}

/** struct nfgenmsg. */
function info(family: Flow["family"]): Buffer {
  return Buffer.from([AF[family], 0, 0, 0]);
}
