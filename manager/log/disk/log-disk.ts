import { ClusterError, type ErrorDetails } from "../../../core/errors.ts";

/**
 * One directory of flat files, as the log needs it: the seam where the simulation loses and tears what was not synced.
 *
 * A name created, renamed or removed is durable after `syncDir`, bytes written after the file's `sync`.
 */
export interface LogDisk {
  /** For messages. */
  readonly dir: string;
  /** Names, sorted. */
  list(): Promise<readonly string[]>;
  /** The whole file. */
  read(name: string): Promise<Uint8Array>;
  /** An empty file to write; one of this name is replaced. */
  create(name: string): Promise<LogFile>;
  /** An existing file to write and read. */
  open(name: string): Promise<LogFile>;
  /** Replaces `to` if it exists. */
  rename(from: string, to: string): Promise<void>;
  /** An absent file is no error. */
  remove(name: string): Promise<void>;
  syncDir(): Promise<void>;
}

/** An open file. Writes and syncs of one file do not overlap. */
export interface LogFile {
  /** Writes all of `bytes`; may extend the file. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Writes all of `bytes` over what is there and makes them durable; of other bytes it promises nothing. */
  writeDurably(bytes: Uint8Array, offset: number): Promise<void>;
  /** Up to `length` bytes; fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Makes all bytes written so far durable (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const ZEROS = new Uint8Array(1024 * 1024);

/** Writes zeros from `offset` up to `end`, a chunk at a time. */
export async function writeZeros(file: LogFile, offset: number, end: number): Promise<void> {
  for (let at = offset; at < end; at += ZEROS.length) {
    await file.write(ZEROS.subarray(0, Math.min(ZEROS.length, end - at)), at);
  }
}

/** Runs `work`, and says what a disk call that failed in it means. Errors that say it already stay. */
export async function orDiskFailed<T>(
  action: string,
  disk: Pick<LogDisk, "dir">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ClusterError || !hasErrno(cause)) throw cause;
    throw diskFailed(action, disk, cause);
  }
}

function hasErrno(error: unknown): boolean {
  return typeof (error as { code?: unknown } | undefined)?.code === "string";
}

/**
 * What a failed disk call means: the manager stops. After a failed sync nobody knows what is durable, so no call is
 * ever tried again.
 */
export function diskFailed(
  action: string,
  disk: Pick<LogDisk, "dir">,
  cause: unknown,
): ClusterError {
  const errno = (cause as { code?: unknown } | undefined)?.code;
  const details: ErrorDetails = { dir: disk.dir, errno: String(errno ?? "unknown") };
  if (errno === "ENOSPC" || errno === "EDQUOT") {
    const message = `cannot ${action}: no space left in ${disk.dir}; free some and start the manager again`;
    return new ClusterError("ResourceExhausted", message, { details, cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ClusterError("DataLoss", `cannot ${action} in ${disk.dir}: ${why}`, {
    details,
    cause,
  });
}
