import { readFile, rename, writeFile } from "node:fs/promises";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { parseDigest } from "./digest.ts";
import { listAt, objectAt, parseJsonObject, textAt } from "./json.ts";
import type { Digest } from "./types.ts";

/** An image that was built here: from what, and by which step. */
export interface BuildStep {
  readonly image: Digest;
  /** Undefined: from nothing. */
  readonly parent: Digest | undefined;
  /** The same for the same step, whenever it is done; compared and nothing else. */
  readonly key: string;
}

/** The key of what is no step of a build: nobody finds it in the cache. */
export const NO_STEP = "";

/** Far more than a machine has images. */
const STEPS_MAX = 100_000;

/**
 * Which images were built here and how: the cache of builds, and who is whose parent. Kept in one file that is written anew
 * each time, but not flushed: what a power cut takes is built again.
 */
export class BuildSteps {
  readonly #path: string;
  #steps: readonly BuildStep[];
  /** One writes at a time. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, steps: readonly BuildStep[]) {
    this.#path = path;
    this.#steps = steps;
  }

  /** A file that cannot be read is an empty cache. @param images those that are here. */
  static async open(path: string, images: readonly Digest[], log: Log): Promise<BuildSteps> {
    const steps = await readSteps(path, log);
    return new BuildSteps(
      path,
      steps.filter(({ image }) => images.includes(image)),
    );
  }

  /** The newest image that the step made of `parent`. */
  find(parent: Digest | undefined, key: string): Digest | undefined {
    return this.#steps.findLast((step) => step.parent === parent && step.key === key)?.image;
  }

  /** Undefined: nobody, or it was not built here. */
  parentOf(image: Digest): Digest | undefined {
    return this.#steps.findLast((step) => step.image === image)?.parent;
  }

  /** Whether another image was built from it. */
  hasChildren(image: Digest): boolean {
    return this.#steps.some((step) => step.parent === image);
  }

  async add(step: BuildStep): Promise<void> {
    await this.#become([...this.#steps, step].slice(-STEPS_MAX));
  }

  /** Of an image that is gone. */
  async forget(image: Digest): Promise<void> {
    const kept = this.#steps.filter((step) => step.image !== image);
    if (kept.length < this.#steps.length) await this.#become(kept);
  }

  async #become(steps: readonly BuildStep[]): Promise<void> {
    this.#steps = steps;
    const written = this.#writing.then(async () => {
      await writeFile(`${this.#path}.tmp`, JSON.stringify({ steps: this.#steps }));
      await rename(`${this.#path}.tmp`, this.#path);
    });
    this.#writing = written.catch(() => {});
    await written;
  }
}

async function readSteps(path: string, log: Log): Promise<readonly BuildStep[]> {
  try {
    const document = parseJsonObject(await readFile(path), "build steps");
    return listAt(document.steps, "build steps", STEPS_MAX).map(readStep);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT"))
      log.warn("the cache of builds cannot be read: it begins anew", {
        path,
        reason: errorMessage(error),
      });
    return [];
  }
}

function readStep(value: unknown): BuildStep {
  const step = objectAt(value, "build step");
  const parent = textAt(step.parent, "build step parent");
  return {
    image: parseDigest(textAt(step.image, "build step image")),
    parent: parent === "" ? undefined : parseDigest(parent),
    key: textAt(step.key, "build step key"),
  };
}
