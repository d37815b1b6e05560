const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "5 seconds", "About a minute", "3 hours", "2 weeks". Source: go-units, HumanDuration. */
export function humanDuration(ms: number): string {
  if (ms < SECOND) return "Less than a second";
  if (ms < 2 * SECOND) return "1 second";
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} seconds`;
  if (ms < 2 * MINUTE) return "About a minute";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} minutes`;
  if (ms < 2 * HOUR) return "About an hour";
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} hours`;
  if (ms < 14 * DAY) return `${Math.floor(ms / DAY)} days`;
  if (ms < 60 * DAY) return `${Math.floor(ms / DAY / 7)} weeks`;
  if (ms < 730 * DAY) return `${Math.floor(ms / DAY / 30)} months`;
  return `${Math.floor(ms / DAY / 365)} years`;
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes by powers of 1024 with four digits: "512MiB". */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${SIZES[unit]}`;
}

const DECIMAL_SIZES = ["B", "kB", "MB", "GB", "TB"];

/** Bytes by powers of 1000 with three digits, as disks are sold: "4.26MB". Source: go-units, HumanSizeWithPrecision. */
export function humanDiskSize(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL_SIZES.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${DECIMAL_SIZES[unit]}`;
}

/** The same with four digits: "4.264MB". Source: go-units, HumanSize. */
export function humanSize(bytes: number): string {
  return humanDiskSize(bytes, 4);
}

/** As Go prints a time: "2026-11-28 22:16:28 +0000 UTC", where this machine is. */
export function goTime(ms: number): string {
  const date = new Date(ms);
  const offset = -date.getTimezoneOffset();
  const local = new Date(ms + offset * MINUTE).toISOString();
  const pad = (number: number) => String(Math.trunc(number)).padStart(2, "0");
  const sign = offset < 0 ? "-" : "+";
  const zone = `${sign}${pad(Math.abs(offset) / 60)}${pad(Math.abs(offset) % 60)}`;
  const fraction = date.getMilliseconds() === 0 ? "" : local.slice(19, 23).replace(/0+$/, "");
  return `${local.slice(0, 10)} ${local.slice(11, 19)}${fraction} ${zone} ${zoneName(date)}`;
}

/** A moment to the nanosecond, where this machine is: "2026-11-28T22:16:28.122000000+01:00". */
export function nanoTime(nanos: bigint): string {
  const ms = Number(nanos / 1_000_000n);
  const offset = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + offset * MINUTE).toISOString().slice(0, 19);
  const pad = (number: number) => String(Math.trunc(number)).padStart(2, "0");
  const minutes = Math.abs(offset);
  const zone =
    offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${pad(minutes / 60)}:${pad(minutes % 60)}`;
  return `${local}.${String(nanos % 1_000_000_000n).padStart(9, "0")}${zone}`;
}

/** As the machine calls it: UTC, CET. */
function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** "running" as tables show it: "Running". */
export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
