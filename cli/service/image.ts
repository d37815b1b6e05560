import { ClusterError } from "../../core/errors.ts";
import { registryAuth } from "../client/registry-auth.ts";
import type { WireServiceSpec } from "../client/wire.ts";
import type { Context } from "../context.ts";
import type { Options } from "./spec.ts";

interface Distribution {
  readonly Descriptor: { readonly digest: string };
}

/** What `--with-registry-auth` adds to a request. */
export function authHeaders(image: string, options: Options): Record<string, string> {
  const auth = options.withRegistryAuth === true ? registryAuth(image) : undefined;
  return auth === undefined ? {} : { "X-Registry-Auth": auth };
}

/**
 * Pins the spec's image to the digest its tag has now, so that every node runs the same. Warns when the registry does
 * not tell: each node will then ask for itself. Off by `--no-resolve-image`.
 */
export async function pinImage(
  context: Context,
  spec: WireServiceSpec,
  options: Options,
): Promise<void> {
  const container = spec.TaskTemplate.ContainerSpec;
  const image = container.Image;
  if (options.resolveImage === false || image.includes("@")) return;
  try {
    const path = `/distribution/${image}/json`;
    const { Descriptor } = await context
      .client()
      .get<Distribution>(path, {}, authHeaders(image, options));
    container.Image = `${image}@${Descriptor.digest}`;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    context.warn(`WARNING: ${error.message.replace("Error response from daemon: ", "")}\n`);
    context.warn(
      `image ${image} could not be asked for its digest: each node will ask the registry for itself\n`,
    );
  }
}
