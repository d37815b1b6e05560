import type {
  AnyObject,
  Kind,
  StoredByKind,
  StoredCluster,
  StoredConfig,
  StoredNetwork,
  StoredNode,
  StoredRevision,
  StoredSecret,
  StoredService,
} from "./objects.ts";
import {
  NamedTable,
  NetworkTable,
  RevisionTable,
  ServiceTable,
  Table,
  type TableReader,
  type WritableTable,
} from "./table.ts";
import { type TaskReader, TaskTable } from "./task-table.ts";

/**
 * The state after the log entry `index`, to read. It moves on when the next entry is applied: what must fit together
 * is read without an `await` between. The objects themselves never change and may be kept.
 */
export interface View {
  readonly index: number;
  readonly services: TableReader<StoredService> & Pick<ServiceTable, "byName" | "byPort">;
  readonly revisions: TableReader<StoredRevision> & Pick<RevisionTable, "find" | "ofService">;
  readonly tasks: TaskReader;
  readonly nodes: TableReader<StoredNode>;
  readonly networks: TableReader<StoredNetwork> & Pick<NetworkTable, "byName">;
  readonly configs: TableReader<StoredConfig> & Pick<NamedTable<"config">, "byName">;
  readonly secrets: TableReader<StoredSecret> & Pick<NamedTable<"secret">, "byName">;
  /** Absent before the first transaction. */
  readonly cluster: StoredCluster | undefined;
}

/** All tables of the state machine. */
export class Tables implements View {
  index = 0;
  readonly services = new ServiceTable();
  readonly revisions = new RevisionTable();
  readonly tasks = new TaskTable();
  readonly nodes = new Table("node");
  readonly networks = new NetworkTable();
  readonly configs = new NamedTable("config");
  readonly secrets = new NamedTable("secret");
  readonly clusters = new Table("cluster");
  readonly #byKind: { readonly [K in Kind]: WritableTable<StoredByKind[K]> } = {
    service: this.services,
    revision: this.revisions,
    task: this.tasks,
    node: this.nodes,
    network: this.networks,
    cluster: this.clusters,
    config: this.configs,
    secret: this.secrets,
  };

  get cluster(): StoredCluster | undefined {
    for (const cluster of this.clusters.values()) return cluster;
    return undefined;
  }

  /** The table of one kind. */
  of<K extends Kind>(kind: K): WritableTable<StoredByKind[K]> {
    return this.#byKind[kind];
  }

  /** Every object, as of the moment the first one is asked for; the tables may change while it is read. */
  all(): Iterable<AnyObject> {
    const kinds = [
      ...(["cluster", "network", "node", "config", "secret"] as const),
      ...(["service", "revision", "task"] as const),
    ];
    const copies = kinds.map((kind) => ({ kind, values: [...this.of<Kind>(kind).values()] }));
    return cases(copies);
  }
}

function* cases(
  copies: readonly { readonly kind: Kind; readonly values: readonly StoredByKind[Kind][] }[],
): Iterable<AnyObject> {
  for (const { kind, values } of copies) {
    // Each table holds values of its own kind: a pair the union cannot express.
    for (const value of values) yield { $case: kind, value } as AnyObject;
  }
}
