import { ClusterError, errorCode } from "../../core/errors.ts";
import type { Credentials } from "../../runtime/image/types.ts";
import type { TaskImages } from "../worker-options.ts";
import { Limiter } from "./limiter.ts";
import { parseRegistryAuth } from "./registry-auth.ts";

/** Different images fetched at once; each fetches its layers in parallel already. */
export const PULLS_PARALLEL_MAX = 4;

interface Pull {
  readonly done: Promise<void>;
  readonly abort: AbortController;
  waiting: number;
}

/** Gets images for tasks: one conversation with the registry however many tasks wait for the same image. */
export class SharedPulls {
  readonly #images: TaskImages;
  readonly #limiter = new Limiter(PULLS_PARALLEL_MAX);
  readonly #pulls = new Map<string, Pull>();

  constructor(images: TaskImages) {
    this.#images = images;
  }

  /**
   * Resolves when the image is here. One that is here already is not asked for: a task must start while its registry is
   * away. The pull itself ends when nobody waits for it any more.
   *
   * @param auth Docker's X-Registry-Auth, or empty.
   * @throws {ClusterError} the registry's own error; `Cancelled` when `signal` fired.
   */
  async need(image: string, auth: string, signal: AbortSignal): Promise<void> {
    if (this.#has(image)) return;
    const credentials = parseRegistryAuth(auth);
    const key = `${image}\n${auth}`;
    const pull = this.#pulls.get(key) ?? this.#start(key, image, credentials);
    pull.waiting++;
    try {
      await Promise.race([pull.done, cancelled(image, signal)]);
    } finally {
      pull.waiting--;
      if (pull.waiting === 0) this.#end(key, pull);
    }
  }

  #has(image: string): boolean {
    try {
      this.#images.get(image);
      return true;
    } catch (error) {
      if (errorCode(error) === "NotFound") return false;
      throw error;
    }
  }

  #start(key: string, image: string, credentials: Credentials | undefined): Pull {
    const abort = new AbortController();
    const done = this.#limiter
      .run(() => this.#images.pull(image, { credentials, signal: abort.signal }))
      .then(() => undefined);
    // Whoever waits hears of it; when all have left nobody does, and need not.
    done.catch(() => undefined);
    const pull: Pull = { done, abort, waiting: 0 };
    this.#pulls.set(key, pull);
    return pull;
  }

  /** Nobody waits: it is done, or called off. Who needs the image later asks anew. */
  #end(key: string, pull: Pull): void {
    pull.abort.abort();
    if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
  }
}

function cancelled(image: string, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new ClusterError("Cancelled", `pull of ${image} was called off`));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
