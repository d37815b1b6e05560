import { ClusterError } from "../../core/errors.ts";
import type { Credentials } from "../../runtime/image/types.ts";
import { parseRegistryAuth } from "../../worker/tasks/registry-auth.ts";

/**
 * The login in an X-Registry-Auth header; undefined when it names nobody, as the docker CLI's `{}`, or cannot be read: there
 * are clients that send anything there.
 *
 * Source: moby, api/server/router/image/image_routes.go, "ignore invalid AuthConfig".
 */
export function readCredentials(registryAuth: string): Credentials | undefined {
  const credentials = parseOrNone(registryAuth);
  const isSomebody =
    credentials !== undefined && Object.values(credentials).some((part) => part !== "");
  return isSomebody ? credentials : undefined;
}

function parseOrNone(registryAuth: string): Credentials | undefined {
  try {
    return parseRegistryAuth(registryAuth);
  } catch (error) {
    if (error instanceof ClusterError && error.code === "InvalidArgument") return undefined;
    throw error;
  }
}
