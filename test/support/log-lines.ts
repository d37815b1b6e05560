import type { Log, LogFields } from "../../core/log.ts";

/** A line of a log. */
export interface LogLine extends LogFields {
  readonly message: string;
}

/** A log that appends to `lines`, each with its level left out. */
export function linesTo(lines: LogLine[], fixed: LogFields = {}): Log {
  const add = (message: string, fields: LogFields = {}) =>
    void lines.push({ ...fixed, ...fields, message });
  return {
    debug: add,
    info: add,
    warn: add,
    error: add,
    child: (fields) => linesTo(lines, { ...fixed, ...fields }),
  };
}
