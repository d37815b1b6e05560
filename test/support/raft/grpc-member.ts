import { ChannelCredentials } from "@grpc/grpc-js";
import { silentLog } from "../../../core/log.ts";
import { systemClock } from "../../../core/system-clock.ts";
import { systemRandom } from "../../../core/system-random.ts";
import { openRaftLog, type RaftLogOptions } from "../../../manager/log/raft-log.ts";
import type { Member, ReplicatedLog, StateMachine } from "../../../manager/log/replicated-log.ts";
import { GrpcTransport } from "../../../manager/log/transport/grpc-transport.ts";
import { raftService } from "../../../manager/log/transport/raft-service.ts";
import { listenPlain, type RpcServer } from "../../../manager/rpc/server.ts";

const HOST = "127.0.0.1";
const SEGMENT_BYTES = 256 * 1024;

/** One member with a gRPC server of its own on loopback, without TLS. */
export interface GrpcMember {
  readonly member: Member;
  readonly log: ReplicatedLog;
  /** Ends its connections and its part in the group; its folder stays. */
  stop(): Promise<void>;
}

export interface GrpcMemberOptions extends Partial<RaftLogOptions> {
  readonly dir: string;
  readonly raftId: number;
  readonly stateMachine: StateMachine;
  /** 0 or absent: any free one. */
  readonly port?: number;
}

/** Starts a member: the first of a new group if it is number 1 and `dir` is empty. */
export async function startGrpcMember(options: GrpcMemberOptions): Promise<GrpcMember> {
  const { raftId, port = 0 } = options;
  // The address must be known before the transport is, so the server finds its transport later.
  let transport: GrpcTransport | undefined;
  const server = await listenWith(port, () => transport);
  const member: Member = { raftId, nodeId: `node-${raftId}`, addr: `${HOST}:${server.port}` };
  transport = new GrpcTransport({
    self: member,
    credentialsFor: () => ChannelCredentials.createInsecure(),
    clock: systemClock,
  });
  const opening = openRaftLog({
    ...member,
    start: raftId === 1 ? "bootstrap" : "join",
    transport,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    onFatal: (error) => {
      throw error;
    },
    segmentBytes: SEGMENT_BYTES,
    ...options,
  });
  // A server of a member that does not start would keep the test's process.
  opening.catch(() => server.close());
  const log = await opening;
  const stop = async (): Promise<void> => {
    server.close();
    await log.close();
  };
  return { member, log, stop };
}

async function listenWith(
  port: number,
  transport: () => GrpcTransport | undefined,
): Promise<RpcServer> {
  const { definition, implementation } = raftService(transport);
  return listenPlain(`${HOST}:${port}`, [{ definition, implementation }]);
}
