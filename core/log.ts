import winston from "winston";

/** Levels as dockerd spells them on its command line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Fields beside a message: ids of the objects it is about, never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What components log through; each gets a child that carries its name. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

/** The same for whoever decides how much is said, by it and its children. */
export interface AdjustableLog extends Log {
  setLevel(level: LogLevel): void;
}

/** JSON lines on standard error: `{"level":"info","message":…,"time":…,"component":…}`. */
export function newLog(level: LogLevel): AdjustableLog {
  const format = winston.format.combine(
    winston.format((info) => ({ ...info, time: new Date().toISOString() }))(),
    winston.format.json(),
  );
  const levels = ["error", "warn", "info", "debug"];
  const transport = new winston.transports.Console({ stderrLevels: levels });
  const logger = winston.createLogger({ level, format, transports: [transport] });
  return Object.assign(logger, {
    setLevel: (next: LogLevel) => {
      logger.level = next;
    },
  });
}

/** Says nothing; for tests. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
