import {
  type Kind,
  keyOf,
  revisionKey,
  type StoredByKind,
  type StoredNetwork,
  type StoredRevision,
  type StoredService,
  storeObject,
} from "./objects.ts";
import { heldPorts } from "./ports.ts";

/** A table to read. */
export interface TableReader<T> {
  readonly size: number;
  get(key: string): T | undefined;
  values(): Iterable<T>;
}

/** A table to write; it keeps its own indexes and knows no rule. */
export interface WritableTable<T> extends TableReader<T> {
  /** Adds an object or replaces the one with its key. */
  put(object: T): void;
  delete(key: string): void;
}

/** Objects of one kind by their key. */
export class Table<K extends Kind> implements WritableTable<StoredByKind[K]> {
  readonly #kind: K;
  readonly #byKey = new Map<string, StoredByKind[K]>();

  constructor(kind: K) {
    this.#kind = kind;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): StoredByKind[K] | undefined {
    return this.#byKey.get(key);
  }

  values(): Iterable<StoredByKind[K]> {
    return this.#byKey.values();
  }

  put(object: StoredByKind[K]): void {
    const key = keyOf(storeObject(this.#kind, object));
    const before = this.#byKey.get(key);
    if (before !== undefined) this.unindex(before);
    this.#byKey.set(key, object);
    this.index(object);
  }

  delete(key: string): void {
    const before = this.#byKey.get(key);
    if (before === undefined) return;
    this.#byKey.delete(key);
    this.unindex(before);
  }

  /** Adds to the indexes of a table that has some. */
  protected index(_object: StoredByKind[K]): void {}

  protected unindex(_object: StoredByKind[K]): void {}
}

/** Services, also by name and by the ports they publish on every node. */
export class ServiceTable extends Table<"service"> {
  readonly #byName = new Map<string, StoredService>();
  readonly #byPort = new Map<string, StoredService>();

  constructor() {
    super("service");
  }

  /** Whether written in capitals or not: names are names in DNS. */
  byName(name: string): StoredService | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /** The holder of a published port; `key` as of `publishedKey`. */
  byPort(key: string): StoredService | undefined {
    return this.#byPort.get(key);
  }

  protected override index(service: StoredService): void {
    this.#byName.set(service.spec.name.toLowerCase(), service);
    for (const port of heldPorts(service)) this.#byPort.set(port, service);
  }

  protected override unindex(service: StoredService): void {
    this.#byName.delete(service.spec.name.toLowerCase());
    for (const port of heldPorts(service)) this.#byPort.delete(port);
  }
}

/** Networks, also by name; those on their way out have none any more. */
export class NetworkTable extends Table<"network"> {
  readonly #byName = new Map<string, StoredNetwork>();

  constructor() {
    super("network");
  }

  /** Whether written in capitals or not, as for services. */
  byName(name: string): StoredNetwork | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  protected override index(network: StoredNetwork): void {
    if (network.pendingDelete !== true) this.#byName.set(network.spec.name.toLowerCase(), network);
  }

  protected override unindex(network: StoredNetwork): void {
    if (network.pendingDelete !== true) this.#byName.delete(network.spec.name.toLowerCase());
  }
}

/** Objects that are found by their name too: configs or secrets. */
export class NamedTable<K extends "config" | "secret"> extends Table<K> {
  readonly #byName = new Map<string, StoredByKind[K]>();

  /** Whether written in capitals or not, as in Docker. */
  byName(name: string): StoredByKind[K] | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  protected override index(object: StoredByKind[K]): void {
    this.#byName.set(object.spec.name.toLowerCase(), object);
  }

  protected override unindex(object: StoredByKind[K]): void {
    this.#byName.delete(object.spec.name.toLowerCase());
  }
}

/** Revisions, also by service. */
export class RevisionTable extends Table<"revision"> {
  readonly #byService = new Map<string, Map<number, StoredRevision>>();

  constructor() {
    super("revision");
  }

  find(serviceId: string, revision: number): StoredRevision | undefined {
    return this.get(revisionKey(serviceId, revision));
  }

  /** The service's revisions in the order they were stored. */
  ofService(serviceId: string): Iterable<StoredRevision> {
    return this.#byService.get(serviceId)?.values() ?? [];
  }

  protected override index(revision: StoredRevision): void {
    const { serviceId } = revision;
    const revisions = this.#byService.get(serviceId) ?? new Map<number, StoredRevision>();
    this.#byService.set(serviceId, revisions.set(revision.revision, revision));
  }

  protected override unindex(revision: StoredRevision): void {
    const revisions = this.#byService.get(revision.serviceId);
    revisions?.delete(revision.revision);
    if (revisions?.size === 0) this.#byService.delete(revision.serviceId);
  }
}
