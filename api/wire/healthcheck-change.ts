import { durationNs } from "../../core/duration.ts";
import { ClusterError } from "../../core/errors.ts";

const FLAG = /^--([a-z-]+)=(\S+)\s*/;
/** Docker refuses shorter ones. */
const DURATION_NS_MIN = 1e6;

const DURATIONS: Readonly<Record<string, string>> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};

/**
 * Reads what stands behind HEALTHCHECK, `--interval=5s CMD curl -f localhost` or `NONE`, as Docker's HealthConfig.
 *
 * @param readList reads a command in its JSON form; undefined: it is a line for the shell.
 * @throws {ClusterError} `InvalidArgument`.
 * Source: Dockerfile reference, HEALTHCHECK.
 */
export function readHealthcheck(
  text: string,
  readList: (text: string) => readonly string[] | undefined,
): Readonly<Record<string, unknown>> {
  const options: Record<string, number> = {};
  let rest = text;
  for (let flag = FLAG.exec(rest); flag !== null; flag = FLAG.exec(rest)) {
    const [whole, name = "", value = ""] = flag;
    if (name === "retries") options.Retries = readRetries(value);
    else options[fieldOf(name)] = readDuration(name, value);
    rest = rest.slice(whole.length);
  }
  const [, kind = "", command = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (kind.toUpperCase() === "NONE" && command === "") return { Test: ["NONE"] };
  if (kind.toUpperCase() !== "CMD")
    throw refused(`Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  if (command === "") throw refused("Missing command after HEALTHCHECK CMD");
  const list = readList(command);
  return { Test: list === undefined ? ["CMD-SHELL", command] : ["CMD", ...list], ...options };
}

function fieldOf(name: string): string {
  const field = Object.hasOwn(DURATIONS, name) ? DURATIONS[name] : undefined;
  if (field === undefined) throw refused(`unknown flag: ${name}`);
  return field;
}

function readDuration(name: string, text: string): number {
  if (text === "0" || text === "0s") return 0;
  const ns = Math.round(durationNs(text) ?? 0);
  if (ns >= DURATION_NS_MIN && Number.isSafeInteger(ns)) return ns;
  throw refused(`Interval ${JSON.stringify(name)} cannot be ${text}: give 1ms or more, as 30s`);
}

function readRetries(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw refused(`--retries must be a whole number, not ${text}`);
}

function refused(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", reason);
}
