import { join } from "node:path";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { Welcome } from "../../proto/gen/dispatcher.ts";
import { EndpointTable } from "../../proto/gen/endpoints.ts";
import { StoredTask } from "../../proto/gen/worker_state.ts";
import type { TaskModel } from "../tasks/task-model.ts";
import { nodeStateDisk, type StateDisk } from "./state-disk.ts";
import { StateFolder } from "./state-folder.ts";

const WELCOME = "welcome";

/** What was on disk when the worker started. */
export interface RestoredState {
  readonly tasks: readonly StoredTask[];
  readonly tables: readonly EndpointTable[];
  /** The newest a manager sent: who the managers are, what this node is called. */
  readonly welcome: Welcome | undefined;
}

/** The worker's memory across restarts: `<path>/tasks`, `<path>/tables`, `<path>/session`, one file per object. */
export class LocalState {
  readonly #tasks: StateFolder;
  readonly #tables: StateFolder;
  readonly #session: StateFolder;
  readonly #log: Log;

  private constructor(folders: readonly [StateFolder, StateFolder, StateFolder], log: Log) {
    [this.#tasks, this.#tables, this.#session] = folders;
    this.#log = log;
  }

  static async open(path: string, log: Log, disk: StateDisk = nodeStateDisk): Promise<LocalState> {
    const onError = (error: unknown, file: string) =>
      log.error("cannot keep the worker's state", { path: file, error: errorMessage(error) });
    const folders = ["tasks", "tables", "session"].map((name) =>
      StateFolder.open(join(path, name), disk, onError),
    );
    const [tasks, tables, session] = await Promise.all(folders);
    if (tasks === undefined || tables === undefined || session === undefined) {
      throw new TypeError("three folders were opened");
    }
    return new LocalState([tasks, tables, session], log);
  }

  /** A file that cannot be read is left out and said so: the managers will tell its content again. */
  async load(): Promise<RestoredState> {
    const welcome = (await this.#session.load()).get(WELCOME);
    return {
      tasks: this.#decode("task", await this.#tasks.load(), (bytes) => StoredTask.decode(bytes)),
      tables: this.#decode("table", await this.#tables.load(), (bytes) =>
        EndpointTable.decode(bytes),
      ),
      welcome:
        welcome === undefined
          ? undefined
          : this.#decode("session", new Map([[WELCOME, welcome]]), (b) => Welcome.decode(b))[0],
    };
  }

  saveTask(task: TaskModel): void {
    this.#tasks.put(task.assignment.task.id, () => StoredTask.encode(storedTask(task)).finish());
  }

  forgetTask(taskId: string): void {
    this.#tasks.remove(taskId);
  }

  saveTable(table: EndpointTable): void {
    this.#tables.put(table.networkId, () => EndpointTable.encode(table).finish());
  }

  forgetTable(networkId: string): void {
    this.#tables.remove(networkId);
  }

  saveWelcome(welcome: Welcome): void {
    this.#session.put(WELCOME, () => Welcome.encode(welcome).finish());
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await Promise.all([this.#tasks.flush(), this.#tables.flush(), this.#session.flush()]);
  }

  #decode<T>(
    kind: string,
    files: ReadonlyMap<string, Uint8Array>,
    decode: (bytes: Uint8Array) => T,
  ): T[] {
    const values: T[] = [];
    for (const [name, bytes] of files) {
      try {
        values.push(decode(bytes));
      } catch (error) {
        this.#log.warn(`${kind} file is damaged and ignored`, { name, error: errorMessage(error) });
      }
    }
    return values;
  }
}

function storedTask({ assignment, status }: TaskModel): StoredTask {
  const { task, serviceName, revision, spec } = assignment;
  const container =
    spec.container === undefined ? undefined : { ...spec.container, registryAuth: "" };
  return {
    assignment: { task, serviceName },
    revision: { ...revision, task: { ...spec, container } },
    status,
  };
}
