import { ipv4Bytes, ipv4Text, macBytes, macText } from "./address.ts";
import {
  attribute,
  decodeAttributes,
  Flag,
  type Message,
  nested,
  type Request,
  readText,
  text,
  u8,
  u16,
  u16be,
  u32,
} from "./message.ts";

/** Network interfaces: requests and what the kernel says of them. Source: linux/if_link.h, linux/rtnetlink.h. */

const Type = { NewLink: 16, DelLink: 17, GetLink: 18 } as const;
const INFO_BYTES = 16;
const IFF_UP = 1;

const Attribute = {
  Address: 1,
  Name: 3,
  Mtu: 4,
  Link: 5,
  Master: 10,
  LinkInfo: 18,
  Group: 27,
  NetNsFd: 28,
  TxQueues: 31,
  RxQueues: 32,
} as const;
const LinkInfo = { Kind: 1, Data: 2, SlaveKind: 4, SlaveData: 5 } as const;
const VETH_PEER = 1;
const MACVLAN_MODE = 1;
const VLAN_ID = 1;
const Ipvlan = { Mode: 1, Flags: 2 } as const;
const Vxlan = { Id: 1, Local: 4, Learning: 7, Proxy: 11, Port: 15 } as const;
const Bridge = { ForwardDelay: 1, MulticastSnooping: 23 } as const;
const Port = { State: 1, Hairpin: 4, Learning: 8, UnicastFlood: 9, Isolated: 33 } as const;

const PORT_DISABLED = 0;

/** An interface as it is. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** "veth", "bridge", "vxlan"; empty for physical ones. */
  readonly kind: string;
  /** Empty without. */
  readonly mac: string;
  readonly mtu: number;
  /** Index of its bridge; 0: none. */
  readonly master: number;
  readonly up: boolean;
  /** Of kind "vxlan" only. */
  readonly vxlan:
    | { readonly vni: number; readonly local: string; readonly port: number }
    | undefined;
}

/** A pair of interfaces; the peer is made in another namespace, named by an open file. */
export interface VethSpec {
  readonly name: string;
  /** Chosen by the caller, so that a batch can go on with it; 0: the kernel chooses. */
  readonly index: number;
  readonly mtu: number;
  /** Index of the bridge our end is put into. */
  readonly master?: number;
  readonly peer: {
    readonly name: string;
    readonly index: number;
    readonly mac: string;
    readonly netnsFd: number;
  };
}

/** How a bridge treats one of its ports. */
export interface PortSpec {
  /** Learns where addresses are from what comes in. */
  readonly learning: boolean;
  /** Gets frames for addresses the bridge does not know. */
  readonly flood: boolean;
  /** Reaches the bridge and ports that are not isolated, no isolated one. */
  readonly isolated: boolean;
}

export interface VxlanSpec {
  readonly name: string;
  readonly index: number;
  readonly vni: number;
  /** IPv4 address packets leave from. */
  readonly local: string;
  readonly port: number;
  readonly mtu: number;
  /** Where it appears; its packets travel in the namespace of the socket that asks. */
  readonly netnsFd: number;
}

/** An interface that shares another one, with an address of its own on that network. */
export interface MacvlanSpec {
  readonly name: string;
  /** Index of the one it shares. */
  readonly parent: number;
  /** The kernel's number. */
  readonly mode: number;
  readonly mac: string;
  /** Undefined: as the other's. */
  readonly mtu: number | undefined;
  /** Where it appears. */
  readonly netnsFd: number;
}

/** An interface that shares another one and its hardware address. */
export interface IpvlanSpec extends Omit<MacvlanSpec, "mac"> {
  /** The kernel's number. */
  readonly flag: number;
}

/** One VLAN of another interface, in the same namespace. */
export interface VlanSpec {
  readonly name: string;
  /** Index of the other. */
  readonly parent: number;
  readonly id: number;
}

export interface BridgeSpec {
  readonly name: string;
  readonly index: number;
  readonly mtu: number;
  readonly mac: string;
}

/** A bridge without spanning tree; up at once. */
export function addBridge(spec: BridgeSpec): Request {
  const data = nested(
    LinkInfo.Data,
    u32(Bridge.ForwardDelay, 0),
    // Reports of group members would flood; overlays carry no multicast.
    u8(Bridge.MulticastSnooping, 0),
  );
  return create(`add bridge ${spec.name}`, spec.index, IFF_UP, [
    text(Attribute.Name, spec.name),
    u32(Attribute.Mtu, spec.mtu),
    attribute(Attribute.Address, macBytes(spec.mac)),
    nested(Attribute.LinkInfo, text(LinkInfo.Kind, "bridge"), data),
  ]);
}

/** A pair of interfaces, our end up. */
export function addVeth(spec: VethSpec): Request {
  const peer = Buffer.concat([
    info(spec.peer.index, 0),
    text(Attribute.Name, spec.peer.name),
    u32(Attribute.Mtu, spec.mtu),
    // One queue each: the default, one per processor, costs memory for nothing.
    u32(Attribute.TxQueues, 1),
    u32(Attribute.RxQueues, 1),
    u32(Attribute.NetNsFd, spec.peer.netnsFd),
    attribute(Attribute.Address, macBytes(spec.peer.mac)),
  ]);
  return create(`add veth ${spec.name}`, spec.index, IFF_UP, [
    text(Attribute.Name, spec.name),
    u32(Attribute.Mtu, spec.mtu),
    u32(Attribute.TxQueues, 1),
    u32(Attribute.RxQueues, 1),
    ...(spec.master === undefined ? [] : [u32(Attribute.Master, spec.master)]),
    nested(
      Attribute.LinkInfo,
      text(LinkInfo.Kind, "veth"),
      nested(LinkInfo.Data, nested(VETH_PEER, peer)),
    ),
  ]);
}

/** Down, in the namespace it is for. */
export function addMacvlan(spec: MacvlanSpec): Request {
  return create(`add macvlan ${spec.name}`, 0, 0, [
    text(Attribute.Name, spec.name),
    u32(Attribute.Link, spec.parent),
    u32(Attribute.NetNsFd, spec.netnsFd),
    ...mtuOf(spec),
    attribute(Attribute.Address, macBytes(spec.mac)),
    nested(
      Attribute.LinkInfo,
      text(LinkInfo.Kind, "macvlan"),
      nested(LinkInfo.Data, u32(MACVLAN_MODE, spec.mode)),
    ),
  ]);
}

/** Down, in the namespace it is for. */
export function addIpvlan(spec: IpvlanSpec): Request {
  const data = nested(
    LinkInfo.Data,
    u16(Ipvlan.Mode, spec.mode),
    // Older kernels know none and refuse what they do not know.
    ...(spec.flag === 0 ? [] : [u16(Ipvlan.Flags, spec.flag)]),
  );
  return create(`add ipvlan ${spec.name}`, 0, 0, [
    text(Attribute.Name, spec.name),
    u32(Attribute.Link, spec.parent),
    u32(Attribute.NetNsFd, spec.netnsFd),
    ...mtuOf(spec),
    nested(Attribute.LinkInfo, text(LinkInfo.Kind, "ipvlan"), data),
  ]);
}

/** Down. */
export function addVlan(spec: VlanSpec): Request {
  return create(`add vlan ${spec.name}`, 0, 0, [
    text(Attribute.Name, spec.name),
    u32(Attribute.Link, spec.parent),
    nested(
      Attribute.LinkInfo,
      text(LinkInfo.Kind, "vlan"),
      nested(LinkInfo.Data, u16(VLAN_ID, spec.id)),
    ),
  ]);
}

function mtuOf({ mtu }: Pick<MacvlanSpec, "mtu">): Buffer[] {
  return mtu === undefined ? [] : [u32(Attribute.Mtu, mtu)];
}

/** A tunnel end that learns nothing and answers ARP from its own table. Down. */
export function addVxlan(spec: VxlanSpec): Request {
  const data = nested(
    LinkInfo.Data,
    u32(Vxlan.Id, spec.vni),
    attribute(Vxlan.Local, ipv4Bytes(spec.local)),
    u8(Vxlan.Learning, 0),
    u8(Vxlan.Proxy, 1),
    u16be(Vxlan.Port, spec.port),
  );
  return create(`add vxlan ${spec.name}`, spec.index, 0, [
    text(Attribute.Name, spec.name),
    u32(Attribute.Mtu, spec.mtu),
    u32(Attribute.NetNsFd, spec.netnsFd),
    nested(Attribute.LinkInfo, text(LinkInfo.Kind, "vxlan"), data),
  ]);
}

/** Brings an interface up. */
export function setUp(index: number): Request {
  return change(`set link ${index} up`, index, IFF_UP, []);
}

/** Puts an interface into a bridge, says how it is treated there, and brings it up. */
export function enslave(index: number, master: number, port: PortSpec): Request[] {
  const settings = nested(
    LinkInfo.SlaveData,
    u8(Port.Learning, Number(port.learning)),
    u8(Port.UnicastFlood, Number(port.flood)),
    u8(Port.Isolated, Number(port.isolated)),
  );
  return [
    change(`put link ${index} into bridge ${master}`, index, IFF_UP, [
      u32(Attribute.Master, master),
    ]),
    change(`set link ${index} as port of bridge ${master}`, index, 0, [
      nested(Attribute.LinkInfo, text(LinkInfo.SlaveKind, "bridge"), settings),
    ]),
  ];
}

/** The bridge sends back through this port of it what came in there, when it is meant for the same port. */
export function reflectPort(index: number): Request {
  return changePort(`let port ${index} be answered by itself`, index, u8(Port.Hairpin, 1));
}

/** The bridge passes nothing on from or to this port of it; at once, where taking an interface down or away waits. */
export function disablePort(name: string): Request {
  return changePort(`close port ${name}`, name, u8(Port.State, PORT_DISABLED));
}

/** The port reaches its bridge and ports that are not isolated, no isolated one. */
export function isolatePort(name: string): Request {
  return changePort(`isolate port ${name}`, name, u8(Port.Isolated, 1));
}

/** @param port its index, or its name: then nobody has to look for it first. */
function changePort(action: string, port: number | string, setting: Buffer): Request {
  const isNamed = typeof port === "string";
  return change(action, isNamed ? 0 : port, 0, [
    ...(isNamed ? [text(Attribute.Name, port)] : []),
    nested(
      Attribute.LinkInfo,
      text(LinkInfo.SlaveKind, "bridge"),
      nested(LinkInfo.SlaveData, setting),
    ),
  ]);
}

/**
 * Deletes interfaces together: each deletion alone waits about 20 ms for the kernel to let go of the interface.
 *
 * @param group a number no other interface of the namespace has as its group.
 */
export function deleteLinks(
  links: readonly Pick<Link, "index" | "name">[],
  group: number,
): Request[] {
  const [only] = links;
  if (only === undefined) return [];
  if (links.length === 1) return [deleteLink(only)];
  const marks = links.map(({ index, name }) =>
    change(`mark link ${name}`, index, 0, [u32(Attribute.Group, group)]),
  );
  const names = links.map((link) => link.name).join(", ");
  const body = Buffer.concat([info(0, 0), u32(Attribute.Group, group)]);
  return [...marks, { type: Type.DelLink, flags: Flag.Ack, body, action: `delete links ${names}` }];
}

function deleteLink({ index, name }: Pick<Link, "index" | "name">): Request {
  return {
    type: Type.DelLink,
    flags: Flag.Ack,
    body: info(index, 0),
    action: `delete link ${name}`,
  };
}

/** Asks for all interfaces of the namespace. */
export function dumpLinks(): Request {
  return { type: Type.GetLink, flags: Flag.Dump, body: info(0, 0), action: "list links" };
}

export function decodeLink(message: Message): Link {
  const attributes = decodeAttributes(message.body, INFO_BYTES);
  const linkInfo = decodeAttributes(attributes.get(Attribute.LinkInfo) ?? Buffer.alloc(0));
  const kind = readText(linkInfo.get(LinkInfo.Kind));
  return {
    index: message.body.readInt32LE(4),
    name: readText(attributes.get(Attribute.Name)),
    kind,
    mac: macText(attributes.get(Attribute.Address) ?? Buffer.alloc(0)),
    mtu: attributes.get(Attribute.Mtu)?.readUInt32LE() ?? 0,
    master: attributes.get(Attribute.Master)?.readUInt32LE() ?? 0,
    up: (message.body.readUInt32LE(8) & IFF_UP) !== 0,
    vxlan: kind === "vxlan" ? decodeVxlan(linkInfo.get(LinkInfo.Data)) : undefined,
  };
}

function decodeVxlan(data: Buffer | undefined): Link["vxlan"] {
  const attributes = decodeAttributes(data ?? Buffer.alloc(0));
  return {
    vni: attributes.get(Vxlan.Id)?.readUInt32LE() ?? 0,
    local: ipv4Text(attributes.get(Vxlan.Local) ?? Buffer.alloc(0)),
    port: attributes.get(Vxlan.Port)?.readUInt16BE() ?? 0,
  };
}

function create(
  action: string,
  index: number,
  flags: number,
  attributes: readonly Uint8Array[],
): Request {
  const body = Buffer.concat([info(index, flags), ...attributes]);
  return { type: Type.NewLink, flags: Flag.Ack | Flag.Create | Flag.Exclusive, body, action };
}

function change(
  action: string,
  index: number,
  flags: number,
  attributes: readonly Uint8Array[],
): Request {
  const body = Buffer.concat([info(index, flags), ...attributes]);
  return { type: Type.NewLink, flags: Flag.Ack, body, action };
}

/** struct ifinfomsg. `flags` are set; those absent stay as they are. */
function info(index: number, flags: number): Buffer {
  const bytes = Buffer.alloc(INFO_BYTES);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(flags, 12);
  return bytes;
}
