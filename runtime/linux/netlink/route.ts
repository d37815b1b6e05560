import { addressBytes, ipText, ipv4Text } from "./address.ts";
import { attribute, decodeAttributes, Flag, type Message, type Request, u32 } from "./message.ts";

/** Addresses of interfaces, and routes; lists are of IPv4. Source: linux/if_addr.h, linux/rtnetlink.h. */

const Type = {
  NewAddress: 20,
  DelAddress: 21,
  GetAddress: 22,
  NewRoute: 24,
  GetRoute: 26,
} as const;
const ADDRESS_INFO_BYTES = 8;
const ROUTE_INFO_BYTES = 12;
const AF_INET = 2;
const AF_INET6 = 10;
const IPV4_BYTES = 4;
/** At once: nobody asks around whether somebody has the address already. */
const NO_DAD = 0x02;
const AddressAttribute = { Address: 1, Local: 2, Broadcast: 4 } as const;
const RouteAttribute = { Destination: 1, Interface: 4, Gateway: 5 } as const;
const TABLE_MAIN = 254;
const PROTOCOL_BOOT = 3;
const ROUTE_UNICAST = 1;

export interface InterfaceAddress {
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
}

export interface Route {
  /** Network address; "0.0.0.0" with prefix length 0 is the default route. */
  readonly destination: string;
  readonly prefixLength: number;
  /** Empty: directly reachable. */
  readonly gateway: string;
  readonly index: number;
}

export function addAddress(entry: InterfaceAddress): Request {
  return {
    type: Type.NewAddress,
    flags: Flag.Ack | Flag.Create | Flag.Replace,
    body: encodeAddress(entry),
    action: `add address ${entry.address}/${entry.prefixLength} to link ${entry.index}`,
  };
}

export function deleteAddress(entry: InterfaceAddress): Request {
  return {
    type: Type.DelAddress,
    flags: Flag.Ack,
    body: encodeAddress(entry),
    action: `delete address ${entry.address}/${entry.prefixLength} of link ${entry.index}`,
  };
}

/** Asks for the addresses of all interfaces: those of IPv4 unless told otherwise. */
export function dumpAddresses(family: "ip" | "ip6" = "ip"): Request {
  const body = addressInfo(0, 0, family === "ip6" ? AF_INET6 : AF_INET);
  return { type: Type.GetAddress, flags: Flag.Dump, body, action: "list addresses" };
}

export function decodeAddress(message: Message): InterfaceAddress {
  const attributes = decodeAttributes(message.body, ADDRESS_INFO_BYTES);
  const local = attributes.get(AddressAttribute.Local) ?? attributes.get(AddressAttribute.Address);
  return {
    index: message.body.readUInt32LE(4),
    address: ipText(local ?? Buffer.alloc(4)),
    prefixLength: message.body.readUInt8(1),
  };
}

export function addRoute(route: Route): Request {
  const family =
    route.gateway.includes(":") || route.destination.includes(":") ? AF_INET6 : AF_INET;
  const parts: Uint8Array[] = [routeInfo(route.prefixLength, family)];
  if (route.prefixLength > 0)
    parts.push(attribute(RouteAttribute.Destination, addressBytes(route.destination)));
  if (route.gateway !== "")
    parts.push(attribute(RouteAttribute.Gateway, addressBytes(route.gateway)));
  parts.push(u32(RouteAttribute.Interface, route.index));
  return {
    type: Type.NewRoute,
    flags: Flag.Ack | Flag.Create | Flag.Replace,
    body: Buffer.concat(parts),
    action: `add route to ${route.destination}/${route.prefixLength}`,
  };
}

/** Asks for all IPv4 routes. */
export function dumpRoutes(): Request {
  return { type: Type.GetRoute, flags: Flag.Dump, body: routeInfo(0), action: "list routes" };
}

/** Undefined for routes of other tables than the main one: broadcasts, own addresses. */
export function decodeRoute(message: Message): Route | undefined {
  if (message.body.readUInt8(4) !== TABLE_MAIN) return undefined;
  const attributes = decodeAttributes(message.body, ROUTE_INFO_BYTES);
  const gateway = attributes.get(RouteAttribute.Gateway);
  return {
    destination: ipv4Text(attributes.get(RouteAttribute.Destination) ?? Buffer.alloc(4)),
    prefixLength: message.body.readUInt8(1),
    gateway: gateway === undefined ? "" : ipv4Text(gateway),
    index: attributes.get(RouteAttribute.Interface)?.readInt32LE() ?? 0,
  };
}

function encodeAddress(entry: InterfaceAddress): Buffer {
  const bytes = addressBytes(entry.address);
  const isIpv4 = bytes.length === IPV4_BYTES;
  return Buffer.concat([
    addressInfo(entry.prefixLength, entry.index, isIpv4 ? AF_INET : AF_INET6),
    attribute(AddressAttribute.Local, bytes),
    attribute(AddressAttribute.Address, bytes),
    ...(isIpv4
      ? [attribute(AddressAttribute.Broadcast, broadcastOf(bytes, entry.prefixLength))]
      : []),
  ]);
}

/** The last address of the subnet, as ifconfig would set it. */
function broadcastOf(address: Uint8Array, prefixLength: number): Uint8Array {
  return address.map((byte, index) => {
    const ownBits = Math.min(8, Math.max(0, prefixLength - index * 8));
    return byte | (0xff >> ownBits);
  });
}

/** struct ifaddrmsg. */
function addressInfo(prefixLength: number, index: number, family = AF_INET): Buffer {
  const bytes = Buffer.alloc(ADDRESS_INFO_BYTES);
  bytes.writeUInt8(family, 0);
  bytes.writeUInt8(prefixLength, 1);
  bytes.writeUInt8(family === AF_INET6 ? NO_DAD : 0, 2);
  bytes.writeUInt32LE(index, 4);
  return bytes;
}

/** struct rtmsg; scope 0 is the universe. */
function routeInfo(prefixLength: number, family = AF_INET): Buffer {
  const bytes = Buffer.alloc(ROUTE_INFO_BYTES);
  bytes.writeUInt8(family, 0);
  bytes.writeUInt8(prefixLength, 1);
  bytes.writeUInt8(TABLE_MAIN, 4);
  bytes.writeUInt8(PROTOCOL_BOOT, 5);
  bytes.writeUInt8(ROUTE_UNICAST, 7);
  return bytes;
}
