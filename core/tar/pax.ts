import { malformed } from "./tar-header.ts";

/** Records of an extended header: keyword → raw bytes. An empty value unsets the keyword. */
export type PaxRecords = ReadonlyMap<string, Uint8Array>;

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
/** No record needs more digits: headers are limited far below. */
const LENGTH_DIGITS_MAX = 10;

/**
 * Reads the records `LENGTH KEY=VALUE\n`. Values stay bytes: attributes and file names need not be UTF-8.
 *
 * @throws {ClusterError} InvalidArgument.
 * Source: POSIX.1-2017, pax, "pax Extended Header".
 */
export function parsePaxRecords(bytes: Uint8Array): PaxRecords {
  const records = new Map<string, Uint8Array>();
  for (let offset = 0; offset < bytes.length; ) {
    const space = bytes.indexOf(SPACE, offset);
    const digits = space === -1 ? "" : latin1(bytes.subarray(offset, space));
    if (!/^[0-9]+$/.test(digits) || digits.length > LENGTH_DIGITS_MAX)
      throw malformed("an extended record has no length");
    const end = offset + Number(digits);
    if (end > bytes.length || bytes[end - 1] !== NEWLINE)
      throw malformed("an extended record has a wrong length");
    const equals = bytes.indexOf(EQUALS, space);
    if (equals === -1 || equals >= end) throw malformed("an extended record has no value");
    records.set(latin1(bytes.subarray(space + 1, equals)), bytes.slice(equals + 1, end - 1));
    offset = end;
  }
  return records;
}

/** The value as a byte string, undefined when the keyword is not set. */
export function paxText(records: PaxRecords, keyword: string): string | undefined {
  const value = records.get(keyword);
  return value === undefined || value.length === 0 ? undefined : latin1(value);
}

/** The value as a whole number from 0. @throws {ClusterError} InvalidArgument. */
export function paxNumber(records: PaxRecords, keyword: string): number | undefined {
  const text = paxText(records, keyword);
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformed(`extended record ${keyword} is not a number`);
  return value;
}

/** The value as a time: seconds (rounded down) and nanoseconds. @throws {ClusterError} InvalidArgument. */
export function paxTime(
  records: PaxRecords,
  keyword: string,
): { readonly seconds: number; readonly nanos: number } | undefined {
  const text = paxText(records, keyword);
  if (text === undefined) return undefined;
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]{0,30}))?$/.exec(text);
  if (match === null) throw malformed(`extended record ${keyword} is not a time`);
  const seconds = Number(match[2]);
  const nanos = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] === "") return { seconds, nanos };
  return nanos === 0 ? { seconds: -seconds, nanos } : { seconds: -seconds - 1, nanos: 1e9 - nanos };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
