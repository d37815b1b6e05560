import { join } from "node:path";
import { ClusterError } from "../core/errors.ts";
import type { ManagerAddress } from "../proto/gen/dispatcher.ts";
import { LogPublisher } from "./logs/log-publisher.ts";
import { restoreTasks } from "./restore.ts";
import { EndpointTables } from "./session/endpoint-tables.ts";
import { SessionLoop } from "./session/loop.ts";
import { ManagerPicker } from "./session/manager-picker.ts";
import { SessionDuties } from "./session/session-duties.ts";
import { TableApplier } from "./session/table-applier.ts";
import { LocalState, type RestoredState } from "./state/local-state.ts";
import { nodeStateDisk } from "./state/state-disk.ts";
import { TaskExecutor } from "./tasks/executor.ts";
import { TaskLoop } from "./tasks/loop.ts";
import { SharedPulls } from "./tasks/shared-pulls.ts";
import type { WorkerOptions } from "./worker-options.ts";

/** How long `leave` waits for containers that ignore their stop signal, beyond any grace people use. */
export const LEAVE_TIMEOUT_MS = 60_000;

/** Runs the tasks the managers give this node, with or without a manager in reach. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #path: string;
  readonly #state: LocalState;
  readonly #tasks: TaskLoop;
  readonly #logs: LogPublisher;
  readonly #applier: TableApplier;
  readonly #picker: ManagerPicker;
  readonly #sessions: SessionLoop;
  readonly #duties: SessionDuties;
  #onForgotten: () => void = () => undefined;

  /** Takes over what a former daemon left running, then looks for a manager. */
  static async start(options: WorkerOptions): Promise<Worker> {
    const path = join(options.dataRoot, "swarm", "worker");
    const state = await LocalState.open(path, options.log, options.stateDisk);
    return new Worker(options, path, { state, restored: await state.load() });
  }

  private constructor(
    options: WorkerOptions,
    path: string,
    { state, restored }: { readonly state: LocalState; readonly restored: RestoredState },
  ) {
    const { clock, random, log, containers, network } = options;
    this.#options = options;
    this.#path = path;
    this.#state = state;
    this.#picker = new ManagerPicker(options.managers, restored.welcome?.managers?.managers ?? []);
    this.#tasks = new TaskLoop({
      executor: new TaskExecutor(containers, new SharedPulls(options.images), network),
      containers,
      listener: {
        onTask: (task, { status }) => {
          state.saveTask(task);
          if (status) duties.onStatus(task.assignment.task.id, task.status);
        },
        onForgotten: (taskId) => {
          state.forgetTask(taskId);
          this.#onForgotten();
        },
      },
      clock,
      random,
      log,
    });
    this.#logs = new LogPublisher(containers, (taskId) => this.#tasks.find(taskId), log);
    const onApplied = (networkId: string, version: number) => duties.onApplied(networkId, version);
    this.#applier = new TableApplier(network, onApplied, { clock, log });
    const duties = new SessionDuties({
      options,
      state,
      tables: new EndpointTables(restored.tables),
      applier: this.#applier,
      tasks: this.#tasks,
      logs: this.#logs,
      picker: this.#picker,
      generation: restored.welcome?.generation ?? 0,
    });
    this.#duties = duties;
    this.#carryOn(restored, duties);
    this.#sessions = new SessionLoop({
      picker: this.#picker,
      hello: () => duties.hello(),
      handlers: duties,
      onEnd: () => duties.onEnd(),
      dial: options.dial,
      clock,
      random,
      log,
    });
  }

  /** host:port of the manager this node is in session with: the leader, as far as it knows. */
  get manager(): string | undefined {
    return this.#sessions.session?.addr;
  }

  /** Why the swarm will not have this node any more; undefined when it will, as far as is known. */
  get refusal(): string | undefined {
    return this.#sessions.refusal;
  }

  /** Where managers were last known to be, the leader first. */
  get managers(): readonly string[] {
    return this.#picker.managers;
  }

  /** This node has another certificate: the managers are to know. */
  reportTls(): void {
    this.#duties.reportTls();
  }

  /** A manager that is known from elsewhere (this node became one). */
  learnManagers(managers: readonly ManagerAddress[]): void {
    this.#picker.learn(managers);
  }

  /** Stops working for the swarm and leaves everything running, for the next daemon to take over. */
  async close(): Promise<void> {
    this.#endSession("the worker stops");
    this.#applier.close();
    this.#tasks.close();
    await this.#state.close();
    await this.#options.network.close();
  }

  /**
   * Stops and removes all tasks, sandboxes and what is on the disk of the swarm.
   *
   * @throws {ClusterError} `DeadlineExceeded` when containers did not go; the rest is done.
   */
  async leave(): Promise<void> {
    this.#endSession("the node leaves the swarm");
    this.#applier.close();
    const gone = await this.#releaseAll();
    this.#tasks.close();
    await this.#state.close();
    await this.#options.network.cleanup();
    await (this.#options.stateDisk ?? nodeStateDisk).removeFolder(this.#path);
    if (!gone) {
      const left = this.#tasks.tasks().map((task) => task.assignment.task.id);
      throw new ClusterError(
        "DeadlineExceeded",
        `left the swarm, but containers of ${left.length} tasks did not stop: ${left.join(", ")}`,
      );
    }
  }

  #endSession(why: string): void {
    this.#sessions.close(new ClusterError("Cancelled", why));
    this.#logs.cancelAll();
  }

  async #releaseAll(): Promise<boolean> {
    const gone = new Promise<boolean>((resolve) => {
      const cancel = this.#options.clock.after(LEAVE_TIMEOUT_MS, () => resolve(false));
      this.#onForgotten = () => {
        if (this.#tasks.tasks().length > 0) return;
        cancel();
        resolve(true);
      };
    });
    for (const { assignment } of this.#tasks.tasks()) this.#tasks.release(assignment.task.id);
    this.#onForgotten();
    return gone;
  }

  /** The data plane first, so that sandboxes find their tables. */
  #carryOn(restored: RestoredState, duties: SessionDuties): void {
    if (restored.welcome !== undefined) duties.setNode(restored.welcome);
    for (const table of restored.tables) this.#applier.apply(table);
    const { known, strays } = restoreTasks(restored.tasks, this.#options.containers);
    for (const task of known) this.#tasks.adopt(task, { hold: false });
    for (const task of strays) this.#tasks.adopt(task, { hold: true });
    if (known.length + strays.length > 0) {
      this.#options.log.info("took over the tasks of a former daemon", {
        tasks: known.length,
        unknown: strays.length,
      });
    }
  }
}
