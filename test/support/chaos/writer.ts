import { Client } from "../../../cli/client/client.ts";
import { ClusterError } from "../../../core/errors.ts";
import type { TestNode } from "../cluster/test-node.ts";

/** A write that was answered neither way by then is one of unknown outcome. */
const ANSWER_MS = 5_000;
/** Between two writes of one lane: a load, not a flood. */
const PAUSE_MS = 150;

/** What became of the writes. */
export interface Ledger {
  /** Names of services and networks whose creation was acknowledged. */
  readonly services: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
  /** Names of services whose removal was acknowledged. */
  readonly removed: ReadonlySet<string>;
  readonly refused: number;
  readonly unknown: number;
}

/** Creates and removes objects through the HTTP API of all managers, one lane each, from its making to `stop`. */
export class Writer {
  readonly #services = new Set<string>();
  readonly #networks = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #lanes: Promise<void>[];
  #refused = 0;
  #unknown = 0;
  #number = 0;
  #stopped = false;

  constructor(managers: readonly TestNode[]) {
    this.#lanes = managers.map((manager) => this.#lane(manager));
  }

  async stop(): Promise<Ledger> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
    return this.ledger;
  }

  get ledger(): Ledger {
    const counts = { refused: this.#refused, unknown: this.#unknown };
    const sets = { services: this.#services, networks: this.#networks, removed: this.#removed };
    return { ...sets, ...counts };
  }

  async #lane(manager: TestNode): Promise<void> {
    const client = new Client(`unix://${manager.socket}`);
    while (!this.#stopped) {
      await this.#writeNext(client, ++this.#number);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #writeNext(client: Client, number: number): Promise<void> {
    const [oldest] = this.#services;
    // Few networks: each takes a subnet and stays to the end.
    if (number % 8 === 0) {
      const name = `chaos-net-${number}`;
      const body = { Name: name, Driver: "overlay" };
      await this.#write(client.post("/networks/create", body), name, this.#networks);
    } else if (number % 8 === 1 && oldest !== undefined) {
      // One whose removal is not acknowledged may be there or not.
      this.#services.delete(oldest);
      await this.#write(client.delete(`/services/${oldest}`), oldest, this.#removed);
    } else {
      const name = `chaos-${number}`;
      await this.#write(client.post("/services/create", idle(name)), name, this.#services);
    }
  }

  async #write(write: Promise<unknown>, name: string, acknowledged: Set<string>): Promise<void> {
    let cancel: () => void = () => undefined;
    const late = new Promise<"late">((resolve) => {
      const timer = setTimeout(() => resolve("late"), ANSWER_MS);
      cancel = () => clearTimeout(timer);
    });
    try {
      if ((await Promise.race([write, late])) === "late") this.#unknown++;
      else acknowledged.add(name);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#refused++;
    } finally {
      cancel();
      // What is answered too late is not counted as acknowledged.
      write.catch(() => undefined);
    }
  }
}

/** A service of no task: the write is what matters. */
function idle(name: string): object {
  return {
    Name: name,
    TaskTemplate: { ContainerSpec: { Image: "busybox" } },
    Mode: { Replicated: { Replicas: 0 } },
  };
}
