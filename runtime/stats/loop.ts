import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { Latest } from "./latest.ts";
import type { ContainerUsage, UsagePair, UsageSample } from "./types.ts";

const PERIOD_MS = 1000;
/** Of one container. */
export const FOLLOWERS_MAX = 256;
/** Samples a reader may miss in a row. */
export const MISSED_MAX = 30;
/** A sample of longer ago says nothing of the present rate. */
const PREVIOUS_AGE_MAX_MS = 3 * PERIOD_MS;

interface Watched {
  readonly followers: Set<Latest<UsagePair>>;
  last: UsageSample | undefined;
}

/**
 * Looks at the containers that somebody follows, once a second and at each only once however many follow it.
 *
 * @param look what a container has used; undefined when it does not run. @throws {ClusterError} NotFound.
 */
export class UsageLoop implements ContainerUsage {
  readonly #look: (id: string) => UsageSample | undefined;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched>();
  #cancel: (() => void) | undefined;

  constructor(look: (id: string) => UsageSample | undefined, clock: Clock) {
    this.#look = look;
    this.#clock = clock;
  }

  sample(id: string): UsagePair {
    const current = this.#look(id);
    const last = this.#watched.get(id)?.last;
    const isRecent = last !== undefined && current !== undefined && current.atMs > last.atMs;
    return { current, previous: isRecent ? last : undefined };
  }

  async *follow(
    id: string,
    { signal, onTooSlow }: { readonly signal: AbortSignal; readonly onTooSlow: () => void },
  ): AsyncGenerator<UsagePair> {
    const first = this.sample(id);
    const watched = this.#watch(id, first.current);
    const follower = new Latest<UsagePair>(MISSED_MAX, onTooSlow);
    const end = () => follower.end();
    signal.addEventListener("abort", end, { once: true });
    watched.followers.add(follower);
    follower.offer(first);
    try {
      if (!signal.aborted) yield* follower.values();
    } finally {
      signal.removeEventListener("abort", end);
      watched.followers.delete(follower);
      if (watched.followers.size === 0) this.#watched.delete(id);
      if (this.#watched.size === 0) this.close();
    }
  }

  /** Stops looking; who follows hears no more. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #watch(id: string, last: UsageSample | undefined): Watched {
    const watched = this.#watched.get(id) ?? { followers: new Set(), last };
    if (watched.followers.size >= FOLLOWERS_MAX)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot follow container ${id}: ${FOLLOWERS_MAX} others do`,
      );
    this.#watched.set(id, watched);
    this.#cancel ??= this.#clock.after(PERIOD_MS, () => this.#tick());
    return watched;
  }

  #tick(): void {
    this.#cancel = this.#clock.after(PERIOD_MS, () => this.#tick());
    for (const [id, watched] of this.#watched) this.#tell(id, watched);
  }

  #tell(id: string, watched: Watched): void {
    const { last, followers } = watched;
    let current: UsageSample | undefined;
    try {
      current = this.#look(id);
    } catch {
      // It was removed: that is the end of what there is to follow.
      for (const follower of followers) follower.end();
      return;
    }
    watched.last = current;
    const isFresh = last !== undefined && (current?.atMs ?? 0) - last.atMs <= PREVIOUS_AGE_MAX_MS;
    const pair = { current, previous: isFresh ? last : undefined };
    for (const follower of followers) follower.offer(pair);
  }
}
