import type { ProgressEvent } from "../backends/images.ts";

const BAR_WIDTH = 50;
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** One line of a transfer's JSON stream. Source: moby, pkg/streamformatter; pkg/jsonmessage for the bar. */
export function writeProgress(event: ProgressEvent): Record<string, unknown> {
  const { id, status, currentBytes, totalBytes, pushed } = event;
  if (pushed !== undefined) {
    const { tag, digest, sizeBytes } = pushed;
    return { progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: sizeBytes } };
  }
  // What is said about the whole, and the line that names the tag, has no bar.
  const isWord = currentBytes <= 0 && totalBytes <= 0;
  if (id === "" && isWord) return { status };
  const named = id === "" ? {} : { id };
  if (status.startsWith("Pulling from ")) return { status, ...named };
  if (isWord) return { status, progressDetail: {}, ...named };
  // Of what nobody knows the whole, there is a count.
  const total = totalBytes > 0 ? { total: totalBytes } : {};
  const bar =
    totalBytes > 0 ? formatBar(currentBytes, totalBytes) : humanSize(currentBytes).padStart(8);
  const progressDetail = { current: currentBytes, ...total };
  return { status, progressDetail, progress: bar, ...named };
}

/** An error in the middle of a stream whose status has been sent. */
export function writeStreamError(message: string): Record<string, unknown> {
  return { errorDetail: { message }, error: message };
}

/** `[====>      ]  512B/1.024kB`, for clients that print it as it is. */
export function formatBar(currentBytes: number, totalBytes: number): string {
  const done = Math.min(BAR_WIDTH, Math.floor((currentBytes / totalBytes) * 100) >> 1);
  const bar = `[${"=".repeat(done)}>${" ".repeat(BAR_WIDTH - done)}]`;
  const current = humanSize(currentBytes).padStart(8);
  return currentBytes > totalBytes
    ? `${bar} ${current}`
    : `${bar} ${current}/${humanSize(totalBytes)}`;
}

/** Powers of 1000 with four digits. Source: go-units, HumanSize. */
function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${UNITS[unit]}`;
}
