import { unreachable } from "../../core/assert.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Assignments, Hello, ManagerMessage, Welcome } from "../../proto/gen/dispatcher.ts";
import type { EndpointUpdate } from "../../proto/gen/endpoints.ts";
import { TaskState, type TaskStatus } from "../../proto/gen/objects.ts";
import { ENDPOINT_VERSIONS_MAX } from "../../proto/limits.ts";
import type { LogPublisher } from "../logs/log-publisher.ts";
import { orphanSandboxes } from "../restore.ts";
import type { LocalState } from "../state/local-state.ts";
import type { TaskLoop } from "../tasks/loop.ts";
import type { WorkerOptions } from "../worker-options.ts";
import { AssignmentSet } from "./assignment-set.ts";
import type { EndpointTables } from "./endpoint-tables.ts";
import type { ManagerPicker } from "./manager-picker.ts";
import { Reporter } from "./reporter.ts";
import type { Session, SessionHandlers } from "./session.ts";
import type { TableApplier } from "./table-applier.ts";

export interface SessionDutiesDeps {
  readonly options: WorkerOptions;
  readonly state: LocalState;
  readonly tables: EndpointTables;
  readonly applier: TableApplier;
  readonly tasks: TaskLoop;
  readonly logs: LogPublisher;
  readonly picker: ManagerPicker;
  /** Of the state of the swarm this node followed last: `Cluster.generation`. */
  readonly generation: number;
}

/** What each message of a manager means on this node, and what the manager is told. */
export class SessionDuties implements SessionHandlers {
  readonly #deps: SessionDutiesDeps;
  readonly #log: Log;
  readonly #reporter = new Reporter();
  /** What the kernel serves, by network. */
  readonly #applied = new Map<string, number>();
  #assignments = new AssignmentSet();
  #session: Session | undefined;
  #generation: number;

  constructor(deps: SessionDutiesDeps) {
    this.#deps = deps;
    this.#generation = deps.generation;
    this.#log = deps.options.log;
  }

  hello(): Hello {
    const endpointVersions = this.#deps.tables
      .tables()
      .slice(0, ENDPOINT_VERSIONS_MAX)
      .map(({ networkId, version }) => ({ networkId, version }));
    const { description, addr, tls } = this.#deps.options;
    const generation = this.#generation;
    return { description: description(), addr, endpointVersions, generation, tls: tls?.() };
  }

  onWelcome(session: Session, welcome: Welcome): void {
    const { picker, state, tables, tasks } = this.#deps;
    this.#follow(welcome, session.addr);
    this.#log.info("in session with a manager", { manager: session.addr });
    this.#session = session;
    picker.learn(welcome.managers?.managers ?? []);
    state.saveWelcome(welcome);
    this.setNode(welcome);
    this.#assignments = new AssignmentSet();
    tables.begin();
    this.#reporter.begin(
      tasks
        .tasks()
        .filter(({ status }) => status.state > TaskState.NEW)
        .map(({ assignment, status }) => [assignment.task.id, status] as const),
    );
    this.#report();
    for (const [networkId, version] of this.#applied) this.#acknowledge(networkId, version);
  }

  onMessage(session: Session, message: NonNullable<ManagerMessage["kind"]>): void {
    const { picker, logs, options } = this.#deps;
    switch (message.$case) {
      case "statusAck":
        this.#reporter.acknowledge(message.value.sequence);
        this.#report();
        break;
      case "assignments":
        this.#onAssignments(message.value);
        break;
      case "endpointUpdate":
        this.#onEndpointUpdate(message.value);
        break;
      case "managers":
        picker.learn(message.value.managers);
        break;
      case "roleChanged":
        options.onRoleChanged?.(message.value.role);
        break;
      case "certificateDue":
        options.onCertificateDue?.();
        break;
      case "logSubscribe":
        logs.subscribe(session.logs, message.value);
        break;
      case "logCancel":
        logs.cancel(message.value.subscriptionId);
        break;
      case "welcome":
      case "heartbeat":
      case "settings":
        throw new ClusterError("Internal", `a session does not hand on ${message.$case}`);
      default:
        unreachable(message);
    }
  }

  /** The session ended; tasks and data plane go on. */
  onEnd(): void {
    this.#session = undefined;
    this.#deps.logs.cancelAll();
  }

  /** This node has another certificate. */
  reportTls(): void {
    const value = this.#deps.options.tls?.();
    if (value !== undefined) this.#session?.send({ $case: "tls", value });
  }

  /** A task's status changed. */
  onStatus(taskId: string, status: TaskStatus): void {
    this.#reporter.put(taskId, status);
    this.#report();
  }

  /** The kernel serves this version of a network's table. */
  onApplied(networkId: string, version: number): void {
    this.#applied.set(networkId, version);
    this.#acknowledge(networkId, version);
  }

  /** Tells the data plane who this node is. */
  setNode({ addr, dataPathPort }: Welcome): void {
    const { nodeId, network } = this.#deps.options;
    network.setNode({ nodeId, dataAddress: addr, dataPathPort }).catch((error: unknown) => {
      this.#log.error("cannot set up the data plane", { addr, error: errorMessage(error) });
    });
  }

  /** @throws {ClusterError} `FailedPrecondition` when the manager is of a state of the swarm that was replaced. */
  #follow({ generation }: Welcome, manager: string): void {
    if (generation < this.#generation) {
      this.#log.warn("does not follow a manager of before the swarm's recovery", { manager });
      throw new ClusterError(
        "FailedPrecondition",
        `manager ${manager} is of before the recovery of the swarm`,
      );
    }
    this.#generation = generation;
  }

  #onAssignments(message: Assignments): void {
    const { tasks, options } = this.#deps;
    const news = this.#assignments.apply(message);
    for (const assignment of news.assigned) tasks.assign(assignment);
    for (const taskId of news.removedTaskIds) tasks.release(taskId);
    const { completeTaskIds } = news;
    if (completeTaskIds === undefined) return;
    for (const { assignment } of tasks.tasks()) {
      if (!completeTaskIds.has(assignment.task.id)) tasks.release(assignment.task.id);
    }
    const sandboxes = options.network.sandboxes().map((sandbox) => sandbox.id);
    for (const id of orphanSandboxes(sandboxes, tasks.tasks())) this.#removeSandbox(id);
  }

  #removeSandbox(sandboxId: string): void {
    this.#log.info("removing a sandbox no task owns", { sandboxId });
    this.#deps.options.network.removeSandbox(sandboxId).catch((error: unknown) => {
      this.#log.warn("cannot remove a sandbox", { sandboxId, error: errorMessage(error) });
    });
  }

  #onEndpointUpdate(update: EndpointUpdate): void {
    const { tables, state, applier } = this.#deps;
    const news = tables.apply(update);
    if (news === undefined) return;
    if (news.kind === "changed") {
      state.saveTable(news.table);
      applier.apply(news.table);
      return;
    }
    this.#applied.delete(news.networkId);
    state.forgetTable(news.networkId);
    applier.remove(news.networkId);
  }

  #report(): void {
    if (this.#session === undefined) return;
    const update = this.#reporter.next();
    if (update !== undefined) this.#session.send({ $case: "statusUpdate", value: update });
  }

  #acknowledge(networkId: string, version: number): void {
    this.#session?.send({ $case: "endpointAck", value: { networkId, version } });
  }
}
