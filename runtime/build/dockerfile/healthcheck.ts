import { durationNs } from "../../../core/duration.ts";
import { invalid, quoted } from "../../../core/shell-words/invalid.ts";
import { findJsonWords } from "../../../core/shell-words/words.ts";
import { readFlags } from "./flags.ts";
import type { HealthcheckFlags, Step } from "./instruction.ts";

const NS_PER_MS = 1e6;
const RETRIES_MAX = 2 ** 31 - 1;
const NO_FLAGS: HealthcheckFlags = {
  intervalMs: 0,
  timeoutMs: 0,
  startPeriodMs: 0,
  startIntervalMs: 0,
  retries: 0,
};

/**
 * Reads `HEALTHCHECK [flags] CMD command` and `HEALTHCHECK NONE`.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function parseHealthcheck(flags: readonly string[], text: string): Step {
  const [, word = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(text) ?? [];
  if (word === "") throw invalid("HEALTHCHECK requires at least one argument");
  const type = word.toUpperCase();
  if (type === "NONE") {
    if (rest !== "") throw invalid("HEALTHCHECK NONE takes no arguments");
    return { kind: "healthcheck", test: ["NONE"], flags: NO_FLAGS };
  }
  const read = readHealthFlags(flags);
  if (type !== "CMD") throw invalid(`Unknown type ${quoted(type)} in HEALTHCHECK (try CMD)`);
  const words = findJsonWords(rest);
  if (rest === "" || words?.length === 0) throw invalid("Missing command after HEALTHCHECK CMD");
  const test = words === undefined ? ["CMD-SHELL", rest] : ["CMD", ...words];
  return { kind: "healthcheck", test, flags: read };
}

function readHealthFlags(flags: readonly string[]): HealthcheckFlags {
  const given = readFlags(flags, {
    interval: "text",
    timeout: "text",
    "start-period": "text",
    "start-interval": "text",
    retries: "text",
  });
  const retries = Number(given.retries ?? "0");
  if (!/^-?\d+$/.test(given.retries ?? "0") || retries > RETRIES_MAX)
    throw invalid(`invalid value ${quoted(given.retries ?? "")} for --retries: not a number`);
  if (retries < 0) throw invalid(`--retries cannot be negative (${retries})`);
  return {
    intervalMs: readInterval("interval", given.interval),
    timeoutMs: readInterval("timeout", given.timeout),
    startPeriodMs: readInterval("start-period", given["start-period"]),
    startIntervalMs: readInterval("start-interval", given["start-interval"]),
    retries,
  };
}

function readInterval(name: string, text: string | undefined): number {
  if (text === undefined || text === "" || text === "0") return 0;
  const ns = durationNs(text);
  if (ns === undefined || !Number.isSafeInteger(Math.round(ns)))
    throw invalid(`time: invalid duration ${quoted(text)}`);
  if (ns !== 0 && ns < NS_PER_MS) throw invalid(`Interval ${quoted(name)} cannot be less than 1ms`);
  return ns / NS_PER_MS;
}
