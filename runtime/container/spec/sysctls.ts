import { ClusterError } from "../../../core/errors.ts";
import type { ContainerConfig } from "../types.ts";
import { hasOwnIpc } from "./namespaces.ts";

/** Kernel settings that belong to a namespace of the container and so change nothing on the host. */
const ALLOWED = new Set([
  "kernel.msgmax",
  "kernel.msgmnb",
  "kernel.msgmni",
  "kernel.sem",
  "kernel.shmall",
  "kernel.shmmax",
  "kernel.shmmni",
  "kernel.shm_rmid_forced",
]);
const ALLOWED_PREFIXES = ["fs.mqueue.", "net."];
const NAME = /^[a-z0-9_]+(?:[./][a-zA-Z0-9_-]+)+$/;
const VALUE_LENGTH_MAX = 256;

/** What lets a user who is not root serve port 80 and use ping in a network namespace of its own. Source: moby, WithSysctls. */
const DEFAULTS = {
  "net.ipv4.ip_unprivileged_port_start": "0",
  "net.ipv4.ping_group_range": "0 2147483647",
};

/**
 * The kernel settings of a container.
 *
 * @throws {ClusterError} InvalidArgument for one that is not on the allow-list, or for `net.` and
 *   `kernel.` with the host's namespaces.
 * Source: CVE-2022-0811 (names and values that smuggle a second setting).
 */
export function planSysctls(
  asked: Readonly<Record<string, string>>,
  config: Pick<ContainerConfig, "network" | "namespaces" | "domainname">,
): Record<string, string> {
  const { network, domainname } = config;
  const ownNetwork = network.kind !== "host";
  const ownIpc = hasOwnIpc(config);
  for (const [name, value] of Object.entries(asked)) {
    if (!NAME.test(name) || !isAllowed(name)) throw refusal(name, "not one a container may set");
    if (/[+=\n\r\0]/.test(value) || value.length > VALUE_LENGTH_MAX)
      throw refusal(name, "its value has a character that is not allowed or is too long");
    if (!ownNetwork && name.startsWith("net."))
      throw refusal(name, "the container uses the host's network");
    if (!ownIpc && !name.startsWith("net."))
      throw refusal(name, "the container uses the shared memory of others");
  }
  return {
    // A network that is joined has its settings already.
    ...(ownNetwork && network.kind !== "container" ? DEFAULTS : {}),
    ...asked,
    ...(domainname === "" ? {} : { "kernel.domainname": domainname }),
  };
}

function isAllowed(name: string): boolean {
  return ALLOWED.has(name) || ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function refusal(name: string, reason: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid sysctl ${JSON.stringify(name.slice(0, 100))}: ${reason}`,
  );
}
