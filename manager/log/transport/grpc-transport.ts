import { once } from "node:events";
import type { ChannelCredentials, ChannelOptions, ClientWritableStream } from "@grpc/grpc-js";
import type { Clock } from "../../../core/clock.ts";
import type { ClusterError } from "../../../core/errors.ts";
import { RaftClient, type RaftMessage, type RaftSnapshotChunk } from "../../../proto/gen/raft.ts";
import { fromRpcError } from "../../../proto/rpc-status.ts";
import type { Message } from "../../../raft-ts/types.ts";
import { EMPTY_MEMBERS, type MemberTable } from "../members.ts";
import { asBuffer, messageToProto } from "../raft-proto.ts";
import type { Member } from "../replicated-log.ts";
import { headerToProto } from "../snapshot/snapshot-frame.ts";
import { type Caller, callerRefusal } from "./caller-refusal.ts";
import { PeerLink, RAFT_CHANNEL_OPTIONS } from "./peer-link.ts";
import type { Receiver, SnapshotMessage, SnapshotSource, Transport } from "./transport.ts";

/** A snapshot must have arrived by then. */
const SNAPSHOT_TIMEOUT_MS = 10 * 60_000;

/** Who is at the other end. */
export type PeerAddress = Pick<Member, "raftId" | "nodeId" | "addr">;

export interface GrpcTransportOptions {
  readonly self: PeerAddress;
  /** For a connection that must end at this peer and no other. */
  readonly credentialsFor: (peer: PeerAddress) => ChannelCredentials;
  /** Beside our own: the name the peer's certificate carries, for one. */
  readonly channelOptions?: ChannelOptions;
  /** `Cluster.generation` as known here now; absent: 0. */
  readonly generation?: () => number;
  /** host:port of managers who may be where no member was known to be: told where we are while no leader is heard of. */
  readonly hints?: () => readonly string[];
  readonly clock: Clock;
}

/**
 * Members reach each other by one gRPC stream each way, and by another connection for each snapshot.
 *
 * What arrives comes through `raftService`, which the manager's server serves.
 */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #links = new Map<number, PeerLink>();
  readonly #snapshotClients = new Set<RaftClient>();
  /** To addresses of which nobody knows who is there. */
  readonly #hintLinks = new Map<string, PeerLink>();
  #table: MemberTable = EMPTY_MEMBERS;
  #members: ReadonlyMap<number, PeerAddress> = new Map();
  /** Where peers say they are: newer than the members table, or known before it. */
  readonly #hellos = new Map<number, PeerAddress>();
  #receiver: Receiver | undefined;
  #isClosed = false;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  /** Undefined before `start` and after `close`; for `raftService`. */
  get receiver(): Receiver | undefined {
    return this.#isClosed ? undefined : this.#receiver;
  }

  setMembers(table: MemberTable): void {
    const { members } = table;
    const { raftId: selfId } = this.#options.self;
    this.#table = table;
    const others = members.filter((member) => member.raftId !== selfId);
    for (const { raftId, addr } of others) {
      const before = this.#members.get(raftId);
      if (before !== undefined && before.addr !== addr) this.#hellos.delete(raftId);
    }
    this.#members = new Map(others.map((member) => [member.raftId, member]));
    const isGone = (raftId: number): boolean => members.length > 0 && !this.#members.has(raftId);
    for (const raftId of this.#hellos.keys()) if (isGone(raftId)) this.#hellos.delete(raftId);
    for (const raftId of this.#links.keys()) {
      if (isGone(raftId) || this.#addressOf(raftId)?.addr !== this.#links.get(raftId)?.addr) {
        this.#unlink(raftId);
      }
    }
    this.#dropKnownHints();
  }

  /** Why a caller is not heard; undefined when it is. */
  refusal(caller: Caller): ClusterError | undefined {
    const own = { self: this.#options.self, table: this.#table, generation: this.#generation() };
    return callerRefusal(own, caller);
  }

  /** A peer said where it is. */
  onHello(peer: PeerAddress): void {
    this.#hellos.set(peer.raftId, peer);
    const { addr } = this.#links.get(peer.raftId) ?? peer;
    if (addr !== peer.addr) this.#unlink(peer.raftId);
    this.#dropKnownHints();
    const { raftId, nodeId } = peer;
    this.#receiver?.onHello({ raftId, nodeId, addr: peer.addr });
  }

  announce(): void {
    for (const raftId of this.#members.keys()) this.#linkTo(raftId)?.connect();
    for (const addr of this.#options.hints?.() ?? []) this.#hintLinkTo(addr)?.connect();
  }

  send(message: Message): void {
    this.#linkTo(message.to)?.send(message);
  }

  async sendSnapshot(message: SnapshotMessage, snapshot: SnapshotSource): Promise<void> {
    const peer = this.#addressOf(message.to);
    if (peer === undefined || this.#isClosed) throw new Error(`no member ${message.to} to send to`);
    const client = new RaftClient(peer.addr, this.#options.credentialsFor(peer), {
      ...RAFT_CHANNEL_OPTIONS,
      ...this.#options.channelOptions,
    });
    this.#snapshotClients.add(client);
    try {
      await installSnapshot(client, message, snapshot);
    } finally {
      this.#snapshotClients.delete(client);
      client.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const raftId of [...this.#links.keys()]) this.#unlink(raftId);
    for (const link of this.#hintLinks.values()) link.close();
    for (const client of this.#snapshotClients) client.close();
  }

  #addressOf(raftId: number): PeerAddress | undefined {
    return this.#hellos.get(raftId) ?? this.#members.get(raftId);
  }

  /** Undefined when nobody knows where that is. */
  #linkTo(raftId: number): PeerLink | undefined {
    const peer = this.#addressOf(raftId);
    if (peer === undefined || this.#isClosed) return undefined;
    const link = this.#links.get(raftId) ?? this.#link(peer);
    this.#links.set(raftId, link);
    return link;
  }

  #link(peer: PeerAddress): PeerLink {
    const { self, clock, credentialsFor, channelOptions = {} } = this.#options;
    const target = { addr: peer.addr, credentials: credentialsFor(peer), channelOptions };
    return new PeerLink(target, () => helloOf(self, peer.raftId, this.#generation()), clock, {
      onUnreachable: () => this.#receiver?.onUnreachable(peer.raftId),
      onRefused: (error) => this.#onRefused(error),
    });
  }

  /** Undefined for where a member is known to be, or we are ourselves. */
  #hintLinkTo(addr: string): PeerLink | undefined {
    if (this.#isKnown(addr) || addr === this.#options.self.addr || this.#isClosed) return undefined;
    const link = this.#hintLinks.get(addr) ?? this.#link({ raftId: 0, nodeId: "", addr });
    this.#hintLinks.set(addr, link);
    return link;
  }

  /** Whether a member is known to be there. */
  #isKnown(addr: string): boolean {
    return [...this.#members.keys()].some((id) => this.#addressOf(id)?.addr === addr);
  }

  /** Who is there has said so: from now on it is a member's link that leads there. */
  #dropKnownHints(): void {
    for (const [addr, link] of this.#hintLinks) {
      if (!this.#isKnown(addr)) continue;
      link.close();
      this.#hintLinks.delete(addr);
    }
  }

  #onRefused({ message, details }: ClusterError): void {
    const { expelled } = details;
    if (typeof expelled !== "number") return;
    this.#receiver?.onExpelled({ generation: expelled, reason: message });
  }

  #generation(): number {
    return this.#options.generation?.() ?? 0;
  }

  #unlink(raftId: number): void {
    this.#links.get(raftId)?.close();
    this.#links.delete(raftId);
  }
}

function helloOf(
  { raftId, nodeId, addr }: PeerAddress,
  to: number,
  generation: number,
): RaftMessage {
  const value = { raftId, nodeId, addr, learner: false, generation };
  return { from: raftId, to, term: 0, kind: { $case: "hello", value } };
}

async function installSnapshot(
  client: RaftClient,
  message: SnapshotMessage,
  snapshot: SnapshotSource,
): Promise<void> {
  const failed = new AbortController();
  const { promise, resolve, reject } = deferred();
  const deadline = Date.now() + SNAPSHOT_TIMEOUT_MS;
  const call = client.installSnapshot({ deadline }, (error) => {
    failed.abort();
    if (error === null) resolve();
    else reject(fromRpcError(error));
  });
  // The callback above tells of the same error, which may come before anybody waits for it.
  call.on("error", () => undefined);
  promise.catch(() => undefined);
  try {
    for await (const chunk of chunksOf(message, snapshot)) {
      if (failed.signal.aborted) break;
      await writeChunk(call, chunk, failed.signal);
    }
    call.end();
  } catch (error) {
    call.cancel();
    throw error;
  }
  await promise;
}

/** A chunk ahead of the peer at most. */
async function writeChunk(
  call: ClientWritableStream<RaftSnapshotChunk>,
  chunk: RaftSnapshotChunk,
  signal: AbortSignal,
): Promise<void> {
  if (call.write(chunk)) return;
  await once(call, "drain", { signal }).catch((error: unknown) => {
    // The call's own answer says why.
    if (!signal.aborted) throw error;
  });
}

async function* chunksOf(
  message: SnapshotMessage,
  snapshot: SnapshotSource,
): AsyncGenerator<RaftSnapshotChunk> {
  yield { kind: { $case: "message", value: messageToProto(message) } };
  yield { kind: { $case: "header", value: headerToProto(snapshot.header) } };
  let parts = 0;
  for await (const part of snapshot.parts()) {
    parts++;
    yield { kind: { $case: "part", value: asBuffer(part) } };
  }
  yield { kind: { $case: "end", value: parts } };
}

function deferred(): {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
} {
  let resolve = (): void => {};
  let reject = (_error: Error): void => {};
  const promise = new Promise<void>((onDone, onError) => {
    resolve = onDone;
    reject = onError;
  });
  return { promise, resolve, reject };
}
