import { ClusterError } from "../../core/errors.ts";
import { parseReference } from "../image/reference.ts";
import type { Image, Images, ProgressEvent } from "../image/types.ts";
import type { BuildRequest } from "./types.ts";

/** Images a build begins with or copies from: those that are here, else those of registries. */
export class BaseImages {
  readonly #images: Pick<Images, "get" | "pull">;
  readonly #request: Pick<BuildRequest, "pull" | "platform" | "credentialsOf">;
  readonly #signal: AbortSignal;
  readonly #onProgress: (event: ProgressEvent) => void;
  /** One name is one image for the whole of a build. */
  readonly #found = new Map<string, Image>();

  constructor(
    images: Pick<Images, "get" | "pull">,
    request: Pick<BuildRequest, "pull" | "platform" | "credentialsOf">,
    options: { readonly signal: AbortSignal; readonly onProgress: (event: ProgressEvent) => void },
  ) {
    this.#images = images;
    this.#request = request;
    this.#signal = options.signal;
    this.#onProgress = options.onProgress;
  }

  /** @param platform undefined: the build's. @throws {ClusterError} as `Images.pull`. */
  async get(name: string, platform = this.#request.platform): Promise<Image> {
    const key = JSON.stringify([name, platform]);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const local = this.#request.pull ? undefined : findLocal(this.#images, name);
    const fits = platform === undefined || (local !== undefined && isFor(local, platform));
    const image = local !== undefined && fits ? local : await this.#pull(name, platform);
    this.#found.set(key, image);
    return image;
  }

  async #pull(name: string, platform: BuildRequest["platform"]): Promise<Image> {
    const { domain } = parseReference(name);
    return this.#images.pull(name, {
      platform,
      credentials: this.#request.credentialsOf(domain),
      signal: this.#signal,
      onProgress: this.#onProgress,
    });
  }
}

/** An image that is here; undefined: it is not. */
export function findLocal(images: Pick<Images, "get">, name: string): Image | undefined {
  try {
    return images.get(name);
  } catch (error) {
    if (error instanceof ClusterError && error.code === "NotFound") return undefined;
    throw error;
  }
}

function isFor({ platform }: Image, wanted: NonNullable<BuildRequest["platform"]>): boolean {
  const fits = (part: keyof typeof wanted) =>
    wanted[part] === "" || wanted[part] === platform[part];
  return fits("os") && fits("architecture") && (fits("variant") || platform.variant === "");
}
