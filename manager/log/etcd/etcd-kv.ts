/** A key as etcd has it. */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the store at which the key came to be, and at which it was written last. */
  readonly createRevision: number;
  readonly modRevision: number;
}

/** Whether a key is as it was: revision 0 means that there is none. */
export type Condition =
  | { readonly key: string; readonly createRevision: number }
  | { readonly key: string; readonly modRevision: number }
  | { readonly key: string; readonly exists: true };

/** `end` makes a range of a key: up to it, itself not in it. */
export type Operation =
  | { readonly put: string; readonly value: Uint8Array; readonly leaseId?: string }
  | { readonly remove: string; readonly end?: string }
  | {
      readonly get: string;
      readonly end?: string;
      readonly limit?: number;
      readonly keysOnly?: boolean;
    };

/** Done as one: `act` when all conditions hold, else `otherwise`. */
export interface Txn {
  readonly when?: readonly Condition[];
  readonly act: readonly Operation[];
  readonly otherwise?: readonly Operation[];
}

export interface TxnResult {
  /** Whether the conditions held. */
  readonly held: boolean;
  /** Of the store, after it. */
  readonly revision: number;
  /** What each `get` that was carried out found, in order. */
  readonly found: readonly (readonly KeyValue[])[];
}

/** What became of a key. */
export type KeyEvent =
  | { readonly kind: "put"; readonly entry: KeyValue }
  | { readonly kind: "removed"; readonly key: string; readonly modRevision: number };

export interface WatchListener {
  onEvents(events: readonly KeyEvent[]): void;
  /** Nothing more comes. What happened meanwhile is to be read: begin again after a fresh look. Called at most once. */
  onBroken(error: Error): void;
}

export interface Lease {
  readonly id: string;
  /** As granted; may be longer than asked for. */
  readonly ttlMs: number;
}

/**
 * What the log needs of etcd. All reads are linearizable.
 *
 * Every method but `watch` and `close` throws a ClusterError: `Unavailable` with the detail `outcomeUnknown` when nobody
 * answered in time, so that what was asked may have happened or happen yet; any other code is etcd's refusal.
 */
export interface EtcdKv {
  txn(txn: Txn): Promise<TxnResult>;
  grantLease(ttlMs: number): Promise<Lease>;
  /** @returns the time it has from now on, 0 when it is gone. */
  keepAlive(leaseId: string): Promise<number>;
  /** Ends a lease and the keys below it. */
  revokeLease(leaseId: string): Promise<void>;
  /** Tells of all changes from `fromRevision` on, in order, until the returned function is called. */
  watch(
    range: { readonly key: string; readonly end: string },
    fromRevision: number,
    listener: WatchListener,
  ): () => void;
  close(): void;
}
