import type { Credentials } from "../../runtime/image/types.ts";
import { parseRegistryAuth } from "../../worker/tasks/registry-auth.ts";

/**
 * The login in an X-Registry-Auth header; undefined when it names nobody, as the docker CLI's `{}`.
 *
 * @throws {ClusterError} `InvalidArgument`; the header itself is never in the message.
 */
export function readCredentials(registryAuth: string): Credentials | undefined {
  const credentials = parseRegistryAuth(registryAuth);
  const isSomebody =
    credentials !== undefined && Object.values(credentials).some((part) => part !== "");
  return isSomebody ? credentials : undefined;
}
