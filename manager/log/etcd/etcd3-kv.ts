import { noop } from "cockatiel";
import {
  Etcd3,
  type ICompare,
  type IKeyValue,
  type IOptions,
  type IRequestOp,
  type IWatchResponse,
} from "etcd3";
import { ClusterError } from "../../../core/errors.ts";
import { errorOfEtcd } from "./etcd-errors.ts";
import type {
  Condition,
  EtcdKv,
  KeyEvent,
  KeyValue,
  Lease,
  Operation,
  Txn,
  TxnResult,
  WatchListener,
} from "./etcd-kv.ts";

/** How long one call may take; then the next endpoint is asked. etcd's own election takes 1 to 2 s. */
const CALL_MS = 2_000;
/** Of one answer: a page of records or parts. */
const ANSWER_BYTES_MAX = 96 * 1024 * 1024;
/** etcd takes a ping every 5 s at most. */
const PING_MS = 10_000;
const PING_ANSWER_MS = 3_000;

/** Where etcd is and who we are there. */
export interface EtcdAccess {
  /** `http://host:port` or `https://host:port`, of members of one etcd cluster. */
  readonly endpoints: readonly string[];
  readonly tls?: {
    readonly caPem: Buffer;
    readonly certPem?: Buffer;
    readonly keyPem?: Buffer;
  };
  readonly user?: { readonly username: string; readonly password: string };
}

/** etcd through `etcd3`: one endpoint at a time; after a call that got no answer the next one. */
export class Etcd3Kv implements EtcdKv {
  readonly #clients: readonly Etcd3[];
  #current = 0;
  #closed = false;

  /** @throws {ClusterError} `InvalidArgument` for certificates that are none. */
  constructor(access: EtcdAccess) {
    try {
      this.#clients = access.endpoints.map((endpoint) => new Etcd3(optionsFor(endpoint, access)));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ClusterError("InvalidArgument", `cannot talk to etcd: ${why}`, { cause });
    }
  }

  async txn({ when = [], act, otherwise = [] }: Txn): Promise<TxnResult> {
    const request = {
      compare: when.map(toCompare),
      success: act.map(toRequest),
      failure: otherwise.map(toRequest),
    };
    const answer = await this.#ask((client) => client.kv.txn(request, deadline()));
    const ranges = answer.responses.filter(({ response_range: range }) => range != null);
    return {
      held: answer.succeeded,
      revision: Number(answer.header.revision),
      found: ranges.map(({ response_range: range }) => range.kvs.map(toKeyValue)),
    };
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    const request = { TTL: Math.ceil(ttlMs / 1000) };
    const answer = await this.#ask((client) => client.leaseClient.leaseGrant(request, deadline()));
    return { id: answer.ID, ttlMs: Number(answer.TTL) * 1000 };
  }

  async keepAlive(leaseId: string): Promise<number> {
    return this.#ask(async (client) => {
      const stream = await client.leaseClient.leaseKeepAlive(deadline());
      return new Promise<number>((resolve, reject) => {
        stream.on("data", ({ TTL }) => resolve(Number(TTL) * 1000));
        stream.on("error", reject);
        stream.on("end", () => reject(new Error("etcd ended the call without an answer")));
        stream.write({ ID: leaseId });
      }).finally(() => stream.cancel());
    });
  }

  async revokeLease(leaseId: string): Promise<void> {
    await this.#ask((client) => client.leaseClient.leaseRevoke({ ID: leaseId }, deadline()));
  }

  watch(
    range: { readonly key: string; readonly end: string },
    fromRevision: number,
    { onEvents, onBroken }: WatchListener,
  ): () => void {
    let isOver = false;
    let cancel = (): void => undefined;
    const end = (error?: Error): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      if (error !== undefined) onBroken(error);
    };
    this.#client.watchClient.watch().then((stream) => {
      cancel = () => stream.cancel();
      // Also after the end: a stream without a listener throws its cancellation.
      stream.on("error", end);
      stream.on("end", () => end(new Error("etcd ended the watch")));
      stream.on("data", (answer) => {
        if (isOver) return;
        if (answer.canceled) end(new Error(whyCanceled(answer)));
        else onEvents(answer.events.map(toEvent));
      });
      if (isOver) cancel();
      else stream.write({ create_request: watchRequest(range, fromRevision) });
    }, end);
    return end;
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients) client.close();
  }

  get #client(): Etcd3 {
    const client = this.#clients[this.#current];
    if (client === undefined || this.#closed) {
      throw new ClusterError("Unavailable", "cannot ask etcd: this manager is stopping");
    }
    return client;
  }

  async #ask<T>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    const asked = this.#current;
    try {
      return await call(this.#client);
    } catch (cause) {
      const error = errorOfEtcd(cause);
      // Others may have moved on already.
      if (error.code === "Unavailable" && asked === this.#current) {
        this.#current = (asked + 1) % this.#clients.length;
      }
      throw error;
    }
  }
}

function optionsFor(endpoint: string, { tls, user }: EtcdAccess): IOptions {
  return {
    hosts: endpoint,
    ...(tls === undefined ? {} : { credentials: credentialsOf(tls) }),
    ...(user === undefined ? {} : { auth: { ...user, callOptions: deadline() } }),
    grpcOptions: {
      "grpc.max_receive_message_length": ANSWER_BYTES_MAX,
      "grpc.keepalive_time_ms": PING_MS,
      "grpc.keepalive_timeout_ms": PING_ANSWER_MS,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
    },
    // Who asks knows whether it may ask again.
    faultHandling: { global: noop, host: () => noop },
  };
}

function credentialsOf({ caPem, certPem, keyPem }: NonNullable<EtcdAccess["tls"]>) {
  const own =
    certPem === undefined || keyPem === undefined ? {} : { certChain: certPem, privateKey: keyPem };
  return { rootCertificate: caPem, ...own };
}

function deadline(): { readonly deadline: number } {
  return { deadline: Date.now() + CALL_MS };
}

function watchRequest(
  { key, end }: { readonly key: string; readonly end: string },
  fromRevision: number,
) {
  return { key: Buffer.from(key), range_end: Buffer.from(end), start_revision: fromRevision };
}

function whyCanceled({ cancel_reason: reason, compact_revision: compacted }: IWatchResponse) {
  if (Number(compacted) > 0) return `etcd has compacted its history up to ${compacted}`;
  return reason === "" ? "etcd canceled the watch" : reason;
}

function toCompare(condition: Condition): ICompare {
  const key = Buffer.from(condition.key);
  if ("exists" in condition) {
    return { key, target: "Create", result: "Greater", create_revision: 0 };
  }
  if ("createRevision" in condition) {
    const { createRevision } = condition;
    return { key, target: "Create", result: "Equal", create_revision: createRevision };
  }
  return { key, target: "Mod", result: "Equal", mod_revision: condition.modRevision };
}

function toRequest(operation: Operation): IRequestOp {
  if ("put" in operation) {
    const { put, value, leaseId } = operation;
    const lease = leaseId === undefined ? {} : { lease: leaseId };
    return { request_put: { key: Buffer.from(put), value: Buffer.from(value), ...lease } };
  }
  const { end } = operation;
  const range = end === undefined ? {} : { range_end: Buffer.from(end) };
  if ("remove" in operation) {
    return { request_delete_range: { key: Buffer.from(operation.remove), ...range } };
  }
  const { get, limit = 0, keysOnly = false } = operation;
  return { request_range: { key: Buffer.from(get), ...range, limit, keys_only: keysOnly } };
}

function toKeyValue(kv: IKeyValue): KeyValue {
  return {
    key: kv.key.toString(),
    value: kv.value,
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
  };
}

function toEvent({ type, kv }: IWatchResponse["events"][number]): KeyEvent {
  // Its type says "Put", what comes says "PUT".
  if (type.toLowerCase() === "put") return { kind: "put", entry: toKeyValue(kv) };
  return { kind: "removed", key: kv.key.toString(), modRevision: Number(kv.mod_revision) };
}
