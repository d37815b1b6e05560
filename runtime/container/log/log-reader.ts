import { watch } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { LogQuery, LogRecord } from "../types.ts";
import { findK8sLine, LineSplitter, toRecord } from "./k8s-log.ts";
import { logFileOf } from "./log-files.ts";
import { findTailStart, type LogPosition } from "./log-tail.ts";

/** A container's log as its reader needs it. */
export interface LogSource {
  readonly path: string;
  readonly filesMax: number;
  /** Whether more may still be written. */
  isOpen(): boolean;
  /** Calls back when that changes; returns how to stop. */
  onClosed(listener: () => void): () => void;
}

const CHUNK_BYTES = 65_536;

/**
 * A container's output, oldest first, over all its files; with `follow` until the container ends or `signal` fires.
 *
 * Holds one chunk at a time: a slow reader slows nobody but itself.
 */
export async function* readLog(source: LogSource, query: LogQuery): AsyncGenerator<LogRecord> {
  const wakeUp = query.follow ? watchLog(source, query.signal) : undefined;
  try {
    const start = await findStart(source, query);
    if (start !== undefined) yield* readFrom(source, query, start, wakeUp);
  } finally {
    wakeUp?.close();
  }
}

async function findStart(source: LogSource, query: LogQuery): Promise<LogPosition | undefined> {
  const paths = await existingFiles(source);
  if (query.tail >= 0) return findTailStart(paths, query);
  return { age: Math.max(paths.length - 1, 0), offset: 0 };
}

async function* readFrom(
  source: LogSource,
  query: LogQuery,
  start: LogPosition,
  wakeUp: WakeUp | undefined,
): AsyncGenerator<LogRecord> {
  const sinceIso = query.sinceMs > 0 ? new Date(query.sinceMs).toISOString() : "";
  let file = await openLog(logFileOf(source.path, start.age));
  let newer: FileHandle | undefined;
  let offset = start.offset;
  try {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(CHUNK_BYTES);
    while (!query.signal?.aborted) {
      // Asked before reading: what is written before the end is read in the round that sees the end.
      const wasOpen = source.isOpen();
      const bytes = (await file?.read(chunk, 0, CHUNK_BYTES, offset))?.bytesRead ?? 0;
      offset += bytes;
      for (const line of splitter.push(chunk.subarray(0, bytes))) {
        const parsed = findK8sLine(line);
        if (parsed === undefined || !(parsed.stderr ? query.stderr : query.stdout)) continue;
        if (isBefore(parsed.time, sinceIso)) continue;
        if (query.untilMs > 0 && Date.parse(parsed.time) > query.untilMs) return;
        yield toRecord(parsed);
      }
      if (bytes > 0) continue;

      if (newer !== undefined) {
        await file?.close();
        [file, newer, offset] = [newer, undefined, 0];
        continue;
      }
      // Once there is a newer file the old one is complete: read what it got meanwhile, then change over.
      newer = await openSuccessor(source, file);
      if (newer !== undefined) continue;
      if (wakeUp === undefined || !wasOpen) return;
      await wakeUp.next();
    }
  } finally {
    await file?.close();
    await newer?.close();
  }
}

/** Compares without reading the date: the texts sort as the times do, both in UTC. */
function isBefore(time: string, sinceIso: string): boolean {
  return sinceIso !== "" && time < sinceIso.slice(0, -1);
}

/** The next newer file than the one that is open, when that has been put aside. */
async function openSuccessor(
  source: LogSource,
  current: FileHandle | undefined,
): Promise<FileHandle | undefined> {
  if (current === undefined) return openLog(source.path);
  const { ino } = await current.stat();
  for (let age = 0; age < source.filesMax; age++) {
    const found = await inodeOf(logFileOf(source.path, age));
    if (found !== ino) continue;
    return age === 0 ? undefined : openLog(logFileOf(source.path, age - 1));
  }
  // Put aside so often that it fell out: go on with the oldest there is.
  const paths = await existingFiles(source);
  return paths.length === 0 ? undefined : openLog(logFileOf(source.path, paths.length - 1));
}

/** Newest first, without gaps. */
async function existingFiles(source: LogSource): Promise<string[]> {
  const paths: string[] = [];
  for (let age = 0; age < source.filesMax; age++) {
    const path = logFileOf(source.path, age);
    if ((await inodeOf(path)) === undefined) break;
    paths.push(path);
  }
  return paths;
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    return absent(error);
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    return absent(error);
  }
}

/** A log not begun, or removed with its container, is an empty one. */
function absent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}

/** Lets a reader sleep until the log may have changed; a change while it is awake is not lost. */
interface WakeUp {
  next(): Promise<void>;
  close(): void;
}

function watchLog(source: LogSource, signal: AbortSignal | undefined): WakeUp {
  let changed = false;
  let wake: (() => void) | undefined;
  const notify = () => {
    changed = true;
    wake?.();
  };
  const name = basename(source.path);
  const watcher = watch(dirname(source.path), (_, file) => {
    if (file === name) notify();
  });
  // The directory goes with its container.
  watcher.on("error", notify);
  const stopListening = source.onClosed(notify);
  signal?.addEventListener("abort", notify, { once: true });
  return {
    async next() {
      if (!changed) await new Promise<void>((resolve) => (wake = resolve));
      changed = false;
      wake = undefined;
    },
    close() {
      watcher.close();
      stopListening();
      signal?.removeEventListener("abort", notify);
    },
  };
}
