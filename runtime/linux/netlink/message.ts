/**
 * The netlink message format: a header, a fixed part that depends on the type, attributes. Pure.
 *
 * Numbers are in the machine's order, little-endian on every machine Node runs on here; fields named `be` are not.
 * Source: linux/netlink.h, man 7 netlink.
 */

export const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** The upper bits of an attribute's type say that it is nested or in network order. */
const TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

export const Flag = {
  Request: 0x1,
  Ack: 0x4,
  /** Change what is there. */
  Replace: 0x100,
  /** Fail when it is there. */
  Exclusive: 0x200,
  Create: 0x400,
  Dump: 0x300,
} as const;

/** Types every netlink family has. */
export const Control = { Noop: 1, Error: 2, Done: 3 } as const;

/** One request without its sequence number, which the socket gives. */
export interface Request {
  readonly type: number;
  readonly flags: number;
  /** The fixed part and the attributes. */
  readonly body: Uint8Array;
  /** What it is meant to do, on which object, for the error: `add link br0`. */
  readonly action: string;
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** Attributes of a message by their type; a repeated type keeps the last. */
export type Attributes = ReadonlyMap<number, Buffer>;

/** Header and body, padded to four bytes. */
export function encodeMessage(request: Request, sequence: number): Buffer {
  const length = HEADER_BYTES + request.body.length;
  const message = Buffer.alloc(aligned(length));
  message.writeUInt32LE(length, 0);
  message.writeUInt16LE(request.type, 4);
  message.writeUInt16LE(request.flags | Flag.Request, 6);
  message.writeUInt32LE(sequence, 8);
  message.set(request.body, HEADER_BYTES);
  return message;
}

/** All messages of one datagram. @throws {RangeError} when a length runs past its end. */
export function decodeMessages(datagram: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= datagram.length; ) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > datagram.length)
      throw new RangeError(`netlink message of ${length} bytes at ${at} of ${datagram.length}`);
    messages.push({
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      body: datagram.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** The attributes after the fixed part of `fixedBytes`. @throws {RangeError} when a length runs past the end. */
export function decodeAttributes(body: Buffer, fixedBytes = 0): Attributes {
  const attributes = new Map<number, Buffer>();
  for (let at = aligned(fixedBytes); at + ATTRIBUTE_HEADER_BYTES <= body.length; ) {
    const length = body.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > body.length)
      throw new RangeError(`netlink attribute of ${length} bytes at ${at} of ${body.length}`);
    const type = body.readUInt16LE(at + 2) & TYPE_MASK;
    attributes.set(type, body.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** One attribute with these bytes. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const length = ATTRIBUTE_HEADER_BYTES + value.length;
  const bytes = Buffer.alloc(aligned(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, ATTRIBUTE_HEADER_BYTES);
  return bytes;
}

/** An attribute that holds others. */
export function nested(type: number, ...attributes: readonly Uint8Array[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

export function u8(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([value]));
}

export function u16(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return attribute(type, bytes);
}

export function u16be(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return attribute(type, bytes);
}

export function u32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return attribute(type, bytes);
}

/** A string with its terminating zero. */
export function text(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`));
}

/** Text of an attribute, without its terminating zero. */
export function readText(value: Buffer | undefined): string {
  if (value === undefined) return "";
  const end = value.indexOf(0);
  return value.toString("utf8", 0, end === -1 ? value.length : end);
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
