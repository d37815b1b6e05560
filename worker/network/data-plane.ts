import type { EndpointTable } from "../../proto/gen/endpoints.ts";
import type { NodeFacts, Sandbox, SandboxSpec } from "./types.ts";

/**
 * The node's data plane as the worker sees it; `Network` (network.ts) is the real one.
 *
 * Every call may be repeated: the same arguments a second time change nothing.
 */
export interface DataPlane {
  /** Tells who this node is. Tunnels are made anew if address or port differ from before. */
  setNode(facts: NodeFacts): Promise<void>;
  /**
   * Takes the newest table of one network, whole. Resolves when the kernel has it: from then on no new connection of
   * this node goes to an endpoint that is not serving in it.
   *
   * A table older than the one known is ignored. Not yet needed here: remembered, nothing is programmed.
   *
   * @throws {ClusterError} `Internal` when a part of it could not be programmed; the rest is, and it is tried again.
   */
  applyTable(table: EndpointTable): Promise<void>;
  /** Forgets the network; its links go when no sandbox uses it. */
  removeNetwork(networkId: string): Promise<void>;
  /** The tables known, for `Hello`. */
  tableVersions(): readonly { readonly networkId: string; readonly version: number }[];
  /**
   * Makes the namespace or returns the one there is. Waits for the tables of networks not yet heard of.
   *
   * @throws {ClusterError} `Unavailable` when a table does not come in time; `AlreadyExists` when the id stands for
   *   another spec; `ResourceExhausted` when no local address or host port is free.
   */
  createSandbox(spec: SandboxSpec): Promise<Sandbox>;
  /** No error when there is none. The container must have ended. */
  removeSandbox(id: string): Promise<void>;
  /** The sandboxes there are, also those a former daemon made; to remove what no task needs any more. */
  sandboxes(): readonly Sandbox[];
  /** Stops serving DNS and watching; the kernel's state stays and serves on: for a restart of the daemon. */
  close(): Promise<void>;
  /** Removes everything this node's data plane ever made, sandboxes too: for leaving the swarm. */
  cleanup(): Promise<void>;
}
