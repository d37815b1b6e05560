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
export function humanDiskSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL_SIZES.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${DECIMAL_SIZES[unit]}`;
}

/** "running" as tables show it: "Running". */
export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
