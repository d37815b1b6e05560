import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import { findPeer } from "./ca/authorization.ts";
import { MANAGER_CHANNEL_OPTIONS, type NodeCredentials } from "./ca/credentials.ts";
import { openRaftLog } from "./log/raft-log.ts";
import type { ReplicatedLog, StateMachine } from "./log/replicated-log.ts";
import type { DataKeys } from "./log/seal/data-key.ts";
import { GrpcTransport } from "./log/transport/grpc-transport.ts";
import { raftService } from "./log/transport/raft-service.ts";
import type { Expulsion } from "./log/transport/transport.ts";
import type { Served } from "./rpc/server.ts";

/** This manager as a member of a log. */
export interface LogMember {
  readonly credentials: NodeCredentials;
  /** Of the manager alone; made if absent. */
  readonly dir: string;
  readonly raftId: number;
  /** host:port where other managers reach this one. */
  readonly advertiseAddr: string;
  /** See RaftLogOptions.start. */
  readonly start: "bootstrap" | "join" | "restart";
  /** What its files are sealed with. */
  readonly keys?: DataKeys | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The log can no longer be trusted: the process must end. */
  readonly onFatal: (error: unknown) => void;
  /** The managers' group goes on without this member, for good. */
  readonly onExpelled?: (notice: Expulsion) => void;
  /** host:port where other managers may be now, should all have moved. */
  readonly hints?: () => readonly string[];
  /** `Cluster.generation` as known here now. */
  readonly generation?: () => number;
}

/** A member of the log at work, and what it serves to other managers. */
export interface OpenedLog {
  readonly replicatedLog: ReplicatedLog;
  readonly services: readonly Served[];
}

/** Opens this manager's member of one kind of log, which drives `stateMachine` from then on. */
export type OpenLog = (member: LogMember, stateMachine: StateMachine) => Promise<OpenedLog>;

/** The embedded log: this manager's own disk, and other managers by gRPC. */
export const openRaft: OpenLog = async (member, stateMachine) => {
  const { hints = () => [], generation = () => 0, onExpelled = () => undefined } = member;
  const { credentials, dir, raftId, advertiseAddr: addr, start, clock, random, onFatal } = member;
  const { nodeId } = credentials.identity;
  const transport = new GrpcTransport({
    self: { raftId, nodeId, addr },
    credentialsFor: (peer) => credentials.toManager(peer.nodeId),
    channelOptions: MANAGER_CHANNEL_OPTIONS,
    generation,
    hints,
    clock,
  });
  const replicatedLog = await openRaftLog({
    ...{ dir, raftId, nodeId, addr, start, stateMachine, transport, clock, random, onFatal },
    onExpelled,
    schedule: setImmediate,
    keys: member.keys,
    log: member.log.child({ component: "raft" }),
  });
  const service = raftService(
    () => transport,
    (call) => findPeer(call)?.nodeId,
  );
  return { replicatedLog, services: [service] };
};
