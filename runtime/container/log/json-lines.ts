/** What is before the text of a line of conmon's: k8s-log.ts has the grammar. */
const HEADER = /(\S+) (stdout|stderr) ([FP]) /y;
/** Go's encoder writes these so; a reader that compares texts sees no difference. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/**
 * Turns lines of conmon's into those of Docker's json-file driver: one for one, those that are torn left out.
 *
 * Source: moby, daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go.
 *
 * @param text whole lines.
 * @param attributes what each line carries beside its text.
 */
export function toJsonLines(
  text: string,
  attributes: ReadonlyMap<string, string> = new Map(),
): { readonly text: string; readonly lines: number } {
  const attrs =
    attributes.size === 0 ? "" : `,"attrs":${JSON.stringify(Object.fromEntries(attributes))}`;
  let json = "";
  let lines = 0;
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
    HEADER.lastIndex = start;
    start = end + 1;
    const [header, time = "", stream, tag] = HEADER.exec(text) ?? [];
    if (header === undefined) continue;
    const log = JSON.stringify(text.slice(HEADER.lastIndex, tag === "F" ? start : end));
    const utc = time.endsWith("+00:00") ? `${time.slice(0, -"+00:00".length)}Z` : time;
    json += `{"log":${log},"stream":"${stream}"${attrs},"time":"${utc}"}\n`;
    lines++;
  }
  return { text: json.replace(ESCAPED, toEscape), lines };
}

/** Leaves out the first `count` lines. */
export function withoutLines(text: string, count: number): string {
  let at = 0;
  for (let left = count; left > 0; left--) at = text.indexOf("\n", at) + 1;
  return text.slice(at);
}

function toEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
