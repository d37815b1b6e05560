import { silentLog } from "../../../core/log.ts";
import type { Control } from "../../../manager/control/control.ts";
import { controlGateway } from "../../../manager/control/gateway.ts";
import { leaderControl } from "../../../manager/control/leader-control.ts";
import { Leader } from "../../../manager/leader.ts";
import type { Member, ReplicatedLog } from "../../../manager/log/replicated-log.ts";
import { membershipService } from "../../../manager/membership/membership-service.ts";
import { Proposer } from "../../../manager/store/proposer.ts";
import type { Store } from "../../../manager/store/store.ts";
import type { MembershipServer } from "../../../proto/gen/membership.ts";
import { hostAnswers, remoteControl } from "./remote.ts";
import type { SimHost } from "./sim-host.ts";
import { WatchCheck } from "./watch-check.ts";
import type { World } from "./world.ts";

/** A manager that runs. */
export interface SimManager {
  readonly raftId: number;
  readonly store: Store;
  readonly log: ReplicatedLog;
  readonly leader: Leader;
  readonly membership: MembershipServer;
  readonly local: Control;
  /** What users ask here, wherever the leader is. */
  readonly control: Control;
}

/** What Manager puts together, over a simulated disk and network. */
export function startManager(parts: {
  readonly world: World;
  readonly host: SimHost;
  readonly store: Store;
  readonly log: ReplicatedLog;
  readonly member: Member;
}): SimManager {
  const { world, host, store, log: replicatedLog, member } = parts;
  const clock = host.clock();
  const { random } = host;
  const proposer = new Proposer(replicatedLog, clock);
  const leaderAddr = () => {
    const { leaderRaftId } = replicatedLog.leadership();
    return replicatedLog.members().find(({ raftId }) => raftId === leaderRaftId)?.addr;
  };
  const randomBytes = (count: number) =>
    Uint8Array.from({ length: count }, () => random.next() * 256);
  const leader = new Leader({
    nodeId: member.nodeId,
    store,
    replicatedLog,
    proposer,
    leaderAddr,
    clock,
    random,
    randomBytes,
    hostAnswers: (addr) => hostAnswers(world, host, addr),
    log: silentLog,
  });
  const local = leaderControl({
    view: () => store.view(),
    proposer,
    replicatedLog,
    stateMachine: store,
    logs: leader.logs,
    clock,
    random,
    randomBytes,
    log: silentLog,
  });
  const control = controlGateway({
    local,
    replicatedLog,
    connect: async ({ addr }) => remoteControl(world, host, addr),
    clock,
  });
  new WatchCheck(store, (what) => world.violate(`${what} on ${member.nodeId}`)).follow();
  leader.follow();
  const membership = membershipService({
    view: () => store.view(),
    proposer,
    replicatedLog,
    log: silentLog,
  });
  return { raftId: member.raftId, store, log: replicatedLog, leader, membership, local, control };
}
