import type { ClusterError } from "../../core/errors.ts";
import type { Hello, ManagerMessage } from "../../proto/gen/dispatcher.ts";
import { type NodeRole, TaskState } from "../../proto/gen/objects.ts";
import type { EndpointTables } from "../endpoints/endpoint-tables.ts";
import type { View } from "../store/tables.ts";
import { type Held, SentAssignments } from "./sent-assignments.ts";
import { SentTables } from "./sent-tables.ts";

/** What a manager says in a session. */
export type Said = NonNullable<ManagerMessage["kind"]>;

/** The wire of one session, as the dispatcher sees it; grpc-channel.ts is the real one. */
export interface SessionChannel {
  /** Who is at the other end, by its certificate. */
  readonly nodeId: string;
  /** The IP it connects from. */
  readonly peerAddr: string;
  /** Whether so much is still on its way that more should wait until it drains. */
  readonly congested: boolean;
  send(message: Said): void;
  /** Ends it with this as the reason. Idempotent. */
  end(reason: ClusterError): void;
}

/** One worker in session: what it was told, and from the present state what it must be told next. */
export class NodeSession {
  readonly id: string;
  readonly channel: SessionChannel;
  /** IP other nodes reach it at. */
  readonly addr: string;
  /** Whether statuses it sent are not acknowledged yet: until then it sends no more. */
  isReporting = false;
  readonly #tables: SentTables;
  readonly #assignments: SentAssignments;
  /** What the node was told last. */
  #role: NodeRole | undefined;

  constructor(id: string, channel: SessionChannel, hello: Hello) {
    this.id = id;
    this.channel = channel;
    this.addr = hello.addr === "" ? channel.peerAddr : hello.addr;
    this.#tables = new SentTables(hello.endpointVersions);
    this.#assignments = new SentAssignments(channel.nodeId);
  }

  /** Tells the node the role the swarm wants of it, unless this session has. */
  tellRole(role: NodeRole): void {
    if (role === this.#role) return;
    this.#role = role;
    this.channel.send({ $case: "roleChanged", value: { role } });
  }

  /** A task of the node changed. */
  mark(taskId: string): void {
    this.#assignments.mark(taskId);
  }

  /** The node's kernel serves this version of the network's table. */
  onServed(networkId: string, version: number): void {
    this.#tables.onServed(networkId, version);
  }

  /** The version it serves; undefined when it has no need of the network. */
  servedVersion(networkId: string): number | undefined {
    return this.#tables.servedVersion(networkId);
  }

  /**
   * Brings the worker up to date.
   *
   * Tables go first: a sandbox needs those of its networks. A congested channel gets nothing now, and the rest when it has
   * drained; by then several changes have become one.
   */
  update(view: View, tables: EndpointTables, held: Held): void {
    if (this.channel.congested) return;
    this.#tables.need(neededNetworks(view, this.channel.nodeId));
    while (!this.channel.congested) {
      const message = this.#next(view, tables, held);
      if (message === undefined) return;
      this.channel.send(message);
    }
  }

  #next(view: View, tables: EndpointTables, held: Held): Said | undefined {
    const update = this.#tables.next(tables);
    if (update !== undefined) return { $case: "endpointUpdate", value: update };
    const assignments = this.#assignments.next(view, held);
    if (assignments !== undefined) return { $case: "assignments", value: assignments };
    const removal = this.#tables.nextRemoval();
    return removal && { $case: "endpointUpdate", value: removal };
  }
}

/** The networks a node must know: those of its tasks that are not over, and those it has an address of its own on. */
function neededNetworks(view: View, nodeId: string): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const { networkId } of view.nodes.get(nodeId)?.attachments ?? []) needed.add(networkId);
  for (const task of view.tasks.ofNode(nodeId)) {
    const { state } = task.status;
    if (state < TaskState.ASSIGNED || state > TaskState.RUNNING) continue;
    for (const { networkId } of task.networks) needed.add(networkId);
  }
  return needed;
}
