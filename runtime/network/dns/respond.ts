import {
  type Answer,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  type Question,
} from "dns-packet";
import { formatIp, parseIp } from "../../../core/ip.ts";
import { type Random, randomInt } from "../../../core/random.ts";
import type { NameView } from "./name-view.ts";
import { HEADER_BYTES, questionEnd } from "./question.ts";

/** Answers one DNS query from a view of names, or says that somebody else must be asked. Pure. */

/** Short: programs that keep answers see a change soon; the server is next door. */
export const TTL_SECONDS = 5;
/** What an answer over UDP may have when the client says nothing. Source: RFC 1035 §4.2.1. */
const UDP_BYTES_DEFAULT = 512;
/** What we say we take, and the most we send over UDP: fits any path. Source: DNS flag day 2020. */
const UDP_BYTES_MAX = 1232;
const REVERSE_SUFFIX = ".in-addr.arpa";
const REVERSE_SUFFIX_IPV6 = ".ip6.arpa";
const IPV6_DIGITS = 32;

const ResponseCode = { FormatError: 1, ServerFailure: 2, NotImplemented: 4 } as const;
const RECURSION_AVAILABLE = 1 << 7;
const RECURSION_DESIRED = 1 << 8;
const TRUNCATED = 1 << 9;
const AUTHORITATIVE = 1 << 10;
const OPCODE = 0x7800;
const RESPONSE = 1 << 15;

export type Transport = "udp" | "tcp";

export type Reaction =
  | { readonly kind: "reply"; readonly bytes: Buffer }
  /** The name is none of ours. `failure` is the reply if nobody can be asked. */
  | { readonly kind: "forward"; readonly failure: Buffer }
  /** Not even a header, or itself an answer: a reply could start a loop. */
  | { readonly kind: "ignore" };

/**
 * @param random turns the order of several addresses, so that clients that take the first spread.
 */
export function respond(
  query: Buffer,
  view: NameView,
  options: { readonly transport: Transport; readonly random: Random },
): Reaction {
  if (query.length < HEADER_BYTES || (query.readUInt16BE(2) & RESPONSE) !== 0)
    return { kind: "ignore" };
  const packet = decoded(query);
  const question = packet?.questions?.[0];
  if (packet === undefined || question === undefined || packet.questions?.length !== 1)
    return { kind: "reply", bytes: failure(query, ResponseCode.FormatError) };
  if (packet.opcode !== "QUERY")
    return { kind: "reply", bytes: failure(query, ResponseCode.NotImplemented) };

  const answers = findAnswers(question, view, options.random);
  if (answers === undefined)
    return { kind: "forward", failure: failure(query, ResponseCode.ServerFailure) };
  const bytesMax = options.transport === "tcp" ? Number.POSITIVE_INFINITY : udpBytes(packet);
  return { kind: "reply", bytes: reply(packet, question, answers, bytesMax) };
}

/** Records for a question about a name of ours; empty when there is none of that type; undefined for other names. */
function findAnswers(question: Question, view: NameView, random: Random): Answer[] | undefined {
  const address = question.type === "PTR" ? reversed(question.name.toLowerCase()) : undefined;
  if (address !== undefined) {
    const name = view.findName(address);
    return name === undefined
      ? undefined
      : [{ type: "PTR", name: question.name, ttl: TTL_SECONDS, data: name }];
  }
  const addresses = view.findAddresses(question.name);
  if (addresses === undefined) return undefined;
  const asked: string = question.type;
  const wanted = turned(addresses, random).filter(
    (address) => asked === "ANY" || asked === (address.includes(":") ? "AAAA" : "A"),
  );
  return wanted.map((data) => ({
    type: data.includes(":") ? "AAAA" : "A",
    name: question.name,
    ttl: TTL_SECONDS,
    data,
  }));
}

/** As many answers as fit; if not all, the client is told to ask again over TCP. */
function reply(query: Packet, question: Question, answers: Answer[], bytesMax: number): Buffer {
  const desired = (query.flags ?? 0) & RECURSION_DESIRED;
  const make = (count: number) =>
    encode({
      type: "response",
      id: query.id ?? 0,
      flags:
        AUTHORITATIVE | RECURSION_AVAILABLE | desired | (count < answers.length ? TRUNCATED : 0),
      questions: [question],
      answers: answers.slice(0, count),
      additionals: hasEdns(query) ? [EDNS] : [],
    });
  let count = answers.length;
  let bytes = make(count);
  while (bytes.length > bytesMax && count > 0) {
    count = Math.floor(count * Math.min(0.9, bytesMax / bytes.length));
    bytes = make(count);
  }
  return bytes;
}

const EDNS: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: UDP_BYTES_MAX,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function hasEdns(query: Packet): boolean {
  return query.additionals?.some((record) => record.type === "OPT") ?? false;
}

function udpBytes(query: Packet): number {
  const edns = query.additionals?.find((record) => record.type === "OPT");
  const offered = edns?.type === "OPT" ? edns.udpPayloadSize : UDP_BYTES_DEFAULT;
  return Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES_DEFAULT, offered));
}

/** Header and question of the query; the header alone when the question cannot be read. */
function failure(query: Buffer, code: number): Buffer {
  const readable = code !== ResponseCode.FormatError;
  const bytes = Buffer.from(query.subarray(0, readable ? questionEnd(query) : HEADER_BYTES));
  const kept = query.readUInt16BE(2) & (RECURSION_DESIRED | OPCODE);
  bytes.fill(0, 2, HEADER_BYTES);
  bytes.writeUInt16BE(RESPONSE | RECURSION_AVAILABLE | kept | code, 2);
  bytes.writeUInt16BE(readable ? 1 : 0, 4);
  return bytes;
}

/** Undefined for what is no DNS message: the library throws plain errors for short headers and endless names. */
function decoded(query: Buffer): (Packet & { readonly opcode?: string }) | undefined {
  try {
    return decode(query);
  } catch {
    return undefined;
  }
}

function turned(addresses: readonly string[], random: Random): string[] {
  const start = addresses.length > 1 ? randomInt(random, addresses.length) : 0;
  return [...addresses.slice(start), ...addresses.slice(0, start)];
}

/** "10.0.1.5" of "5.1.0.10.in-addr.arpa", the same of IPv6; undefined for other names. Source: RFC 1035 §3.5, RFC 3596 §2.5. */
function reversed(name: string): string | undefined {
  if (name.endsWith(REVERSE_SUFFIX))
    return name.slice(0, -REVERSE_SUFFIX.length).split(".").reverse().join(".");
  if (!name.endsWith(REVERSE_SUFFIX_IPV6)) return undefined;
  const digits = name.slice(0, -REVERSE_SUFFIX_IPV6.length).split(".").reverse();
  if (digits.length !== IPV6_DIGITS) return undefined;
  const ip = parseIp((digits.join("").match(/.{4}/g) ?? []).join(":"));
  return ip === undefined ? undefined : formatIp(ip);
}
