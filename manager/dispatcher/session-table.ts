import type { ClusterError } from "../../core/errors.ts";
import type { EndpointTables } from "../endpoints/endpoint-tables.ts";
import type { View } from "../store/tables.ts";
import type { NodeSession, Said, SessionChannel } from "./node-session.ts";

/** The workers in session, one each, and which of them may have to be told something. */
export class SessionTable {
  readonly #byNode = new Map<string, NodeSession>();
  readonly #dirty = new Set<NodeSession>();
  readonly #onPresence: (nodeId: string, present: boolean) => void;

  /** @param onPresence told of nodes that come into session and leave it. */
  constructor(onPresence: (nodeId: string, present: boolean) => void) {
    this.#onPresence = onPresence;
  }

  get nodeIds(): string[] {
    return [...this.#byNode.keys()];
  }

  find(nodeId: string): NodeSession | undefined {
    return this.#byNode.get(nodeId);
  }

  /** The session on this channel, unless another took its place. */
  on(channel: SessionChannel): NodeSession | undefined {
    const session = this.#byNode.get(channel.nodeId);
    return session?.channel === channel ? session : undefined;
  }

  add(session: NodeSession): void {
    this.#byNode.set(session.channel.nodeId, session);
    this.#dirty.add(session);
    this.#onPresence(session.channel.nodeId, true);
  }

  /** Takes the node's session out and ends it, if there is one. */
  end(nodeId: string, reason: ClusterError): void {
    const session = this.#byNode.get(nodeId);
    if (session === undefined) return;
    this.remove(session);
    session.channel.end(reason);
  }

  /** Takes out a session that has ended. */
  remove(session: NodeSession): void {
    this.#byNode.delete(session.channel.nodeId);
    this.#dirty.delete(session);
    this.#onPresence(session.channel.nodeId, false);
  }

  /** @returns whether the node is in session. */
  tell(nodeId: string, message: Said): boolean {
    const session = this.#byNode.get(nodeId);
    session?.channel.send(message);
    return session !== undefined;
  }

  /** A task of the node may have to be told anew. */
  markTask(nodeId: string, taskId: string): void {
    const session = this.#byNode.get(nodeId);
    if (session === undefined) return;
    session.mark(taskId);
    this.#dirty.add(session);
  }

  mark(session: NodeSession): void {
    this.#dirty.add(session);
  }

  markAll(): void {
    for (const session of this.#byNode.values()) this.#dirty.add(session);
  }

  /** Brings those marked up to date, but for channels that have no room: they stay marked. */
  update(view: View, tables: EndpointTables, held: (taskId: string) => boolean): void {
    for (const session of this.#dirty) {
      if (session.channel.congested) continue;
      this.#dirty.delete(session);
      session.update(view, tables, held);
    }
  }

  /** The version of a table that every node in need of it serves. Who is not in session cannot be waited for. */
  servedByAll(networkId: string): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const session of this.#byNode.values()) {
      lowest = Math.min(lowest, session.servedVersion(networkId) ?? Number.POSITIVE_INFINITY);
    }
    return lowest;
  }
}
