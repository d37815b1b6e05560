import { joinedContainer } from "../settings.ts";
import type { ContainerConfig } from "../types.ts";
import type { OciNamespace } from "./oci-spec.ts";

/** Namespaces that are there and are joined: paths, of containers' below /proc of their first processes. */
export interface JoinedNamespaces {
  readonly pid?: string;
  readonly ipc?: string;
  readonly network?: string;
}

/** The namespaces a container's processes get, new ones and those of others. */
export function planNamespaces(
  config: Pick<ContainerConfig, "namespaces" | "network" | "security">,
  joined: JoinedNamespaces,
  cgroupKind: "v1" | "v2" | "hybrid",
): OciNamespace[] {
  const { pid, ipc, uts } = config.namespaces;
  const namespaces: OciNamespace[] = [{ type: "mount" }];
  if (uts !== "host") namespaces.push({ type: "uts" });
  if (pid !== "host") namespaces.push(ownOr("pid", joined.pid));
  if (ipc !== "host") namespaces.push(ownOr("ipc", joined.ipc));
  const network = planNetwork(config.network, joined.network);
  if (network !== undefined) namespaces.push(network);
  if (cgroupModeOf(config, cgroupKind) === "private") namespaces.push({ type: "cgroup" });
  return namespaces;
}

/** Whether kernel settings of messages and shared memory would be those of the container alone. */
export function hasOwnIpc({ namespaces }: Pick<ContainerConfig, "namespaces">): boolean {
  return namespaces.ipc !== "host" && joinedContainer(namespaces.ipc) === undefined;
}

function ownOr(type: string, path: string | undefined): OciNamespace {
  return path === undefined ? { type } : { type, path };
}

function planNetwork(
  network: ContainerConfig["network"],
  joined: string | undefined,
): OciNamespace | undefined {
  switch (network.kind) {
    case "host":
      return undefined;
    // The runtime gives a new network namespace its loopback link, up, and nothing else.
    case "none":
      return { type: "network" };
    case "local":
    case "container":
      return ownOr("network", joined);
    case "namespace":
      return { type: "network", path: network.path };
  }
}

/** Whose control group it sees. With version 1 a program that looks for its group expects the host's paths. Docker's default. */
export function cgroupModeOf(
  { namespaces, security }: Pick<ContainerConfig, "namespaces" | "security">,
  cgroupKind: "v1" | "v2" | "hybrid",
): "private" | "host" {
  if (namespaces.cgroup !== "") return namespaces.cgroup === "private" ? "private" : "host";
  return cgroupKind === "v2" && !security.privileged ? "private" : "host";
}
