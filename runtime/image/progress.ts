import { shortDigest } from "./digest.ts";
import type { Descriptor, ProgressEvent } from "./types.ts";

/** Told what happens. */
export type OnProgress = (event: ProgressEvent) => void;

/** A blob's bar moves in steps of one hundredth, so that a large pull is a few hundred lines. */
const STEPS = 100;

/** An event about a layer, or with an empty id about the whole. */
export function progress(
  id: string,
  status: string,
  currentBytes = 0,
  totalBytes = 0,
): ProgressEvent {
  return { id, status, currentBytes, totalBytes };
}

/** Turns counts of bytes into events, at most STEPS. */
export function byteProgress(
  blob: Descriptor,
  status: string,
  onProgress: OnProgress,
): (bytes: number) => void {
  const id = shortDigest(blob.digest);
  const step = blob.sizeBytes / STEPS;
  let next = 0;
  return (bytes) => {
    if (bytes < next) return;
    next = bytes + step;
    onProgress(progress(id, status, bytes, blob.sizeBytes));
  };
}

/** Tells everyone who waits for the same work; who comes late is told where each thing stands. */
export class ProgressHub {
  readonly #listeners = new Set<OnProgress>();
  /** One per layer and a few about the whole. */
  readonly #latest = new Map<string, ProgressEvent>();

  readonly emit: OnProgress = (event) => {
    this.#latest.set(event.id === "" ? event.status : event.id, event);
    for (const listener of this.#listeners) listener(event);
  };

  /** Whether nobody listens any more. */
  get isDeserted(): boolean {
    return this.#listeners.size === 0;
  }

  /** Begins to listen; with undefined only counts as somebody who waits. @returns a function that ends it. */
  listen(listener: OnProgress | undefined): () => void {
    const own: OnProgress = (event) => listener?.(event);
    for (const event of this.#latest.values()) own(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }
}
