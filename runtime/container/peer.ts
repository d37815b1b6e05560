import { ClusterError } from "../../core/errors.ts";
import type { ProcessRef } from "../linux/process.ts";
import type { ContainerPaths } from "./paths.ts";
import type { ContainerRecord } from "./record.ts";
import { joinedContainer } from "./settings.ts";
import type { JoinedNamespaces } from "./spec/namespaces.ts";
import type { ContainerConfig } from "./types.ts";

/** Another container, whose namespaces one joins. */
export interface Peer {
  readonly name: string;
  readonly config: ContainerConfig;
  readonly imageConfig: ContainerRecord["imageConfig"];
  readonly paths: ContainerPaths;
  /** Its first process while it runs. */
  readonly process: ProcessRef | undefined;
}

/** @throws {ClusterError} NotFound. */
export type FindPeer = (id: string) => Peer;

/**
 * The namespaces of others that a container is to be in.
 *
 * @throws {ClusterError} FailedPrecondition when one of them does not run; NotFound. Docker's words.
 */
export function findJoined(config: ContainerConfig, findPeer: FindPeer): JoinedNamespaces {
  const pid = joinedContainer(config.namespaces.pid);
  const ipc = joinedContainer(config.namespaces.ipc);
  const network = config.network.kind === "container" ? config.network.id : undefined;
  return {
    ...(pid === undefined ? {} : { pid: namespaceOf(findPeer(pid), "pid", "PID") }),
    ...(ipc === undefined ? {} : { ipc: namespaceOf(findPeer(ipc), "ipc", "IPC") }),
    ...(network === undefined ? {} : { network: namespaceOf(findPeer(network), "net", "network") }),
  };
}

function namespaceOf({ name, process }: Peer, file: string, what: string): string {
  if (process !== undefined) return `/proc/${process.pid}/ns/${file}`;
  throw new ClusterError(
    "FailedPrecondition",
    `cannot join ${what} of a non running container: ${name}`,
  );
}
