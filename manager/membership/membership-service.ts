import { isIPv6 } from "node:net";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { MembershipServer } from "../../proto/gen/membership.ts";
import { NodeRole, NodeState } from "../../proto/gen/objects.ts";
import { getPeer } from "../ca/authorization.ts";
import type { Member, ReplicatedLog } from "../log/replicated-log.ts";
import { unary } from "../rpc/handlers.ts";
import { peerHost } from "../rpc/peer.ts";
import { updateChange } from "../store/changes.ts";
import type { Proposer } from "../store/proposer.ts";
import type { View } from "../store/tables.ts";

/** What the service works with. */
export interface MembershipServiceParts {
  readonly view: () => View;
  readonly proposer: Pick<Proposer, "propose">;
  readonly replicatedLog: Pick<
    ReplicatedLog,
    "readBarrier" | "members" | "addMember" | "removeMember"
  >;
  readonly log: Log;
}

/** Serves proto/membership.proto. */
export function membershipService(parts: MembershipServiceParts): MembershipServer {
  const { replicatedLog, proposer, view, log } = parts;
  return {
    joinManagers: unary(async ({ raftId, addr, generation }, call) => {
      const { nodeId } = getPeer(call);
      if (raftId === 0) {
        throw new ClusterError("InvalidArgument", `node ${nodeId} cannot join: 0 is no raft id`);
      }
      await replicatedLog.readBarrier();
      checkMayJoin(view(), { nodeId, generation });
      const member = { raftId, nodeId, addr: completeAddr(addr, peerHost(call.getPeer())) };
      await removeFormer(parts, member);
      if (!isVoter(replicatedLog.members(), member)) await replicatedLog.addMember(member);
      const manager = { raftId, addr: member.addr };
      await proposer.propose([updateChange("node", nodeId, { manager }, { skipIfAbsent: true })]);
      log.info("a manager joined", { nodeId, raftId, addr: member.addr });
      return {};
    }),
    leave: unary(async (_request, call) => {
      const { nodeId } = getPeer(call);
      await replicatedLog.readBarrier();
      const node = view().nodes.get(nodeId);
      if (node === undefined) return {};
      const member = replicatedLog.members().find((one) => one.nodeId === nodeId);
      // It goes anyway: as a member that never answers it would do more harm. Who leads hands over first.
      if (member !== undefined) await replicatedLog.removeMember(member.raftId, { force: true });
      const status = { ...node.status, state: NodeState.DOWN, message: "left the swarm" };
      const spec = { ...node.spec, role: NodeRole.WORKER };
      const patch = { spec, status, role: NodeRole.WORKER, manager: undefined };
      await proposer.propose([
        updateChange("node", nodeId, patch, { skipIfAbsent: true, bumpVersion: true }),
      ]);
      log.info("a node left", { nodeId });
      return {};
    }),
  };
}

function checkMayJoin(
  view: View,
  { nodeId, generation }: { readonly nodeId: string; readonly generation: number },
): void {
  const node = view.nodes.get(nodeId);
  if (generation > (view.cluster?.generation ?? 0)) {
    throw new ClusterError(
      "Unavailable",
      `node ${nodeId} cannot join these managers: they are of before the recovery of the swarm`,
      { details: { nodeId, generation } },
    );
  }
  if (node?.spec.role === NodeRole.MANAGER) return;
  throw new ClusterError(
    "FailedPrecondition",
    `node ${nodeId} cannot join the managers: it was ${node === undefined ? "removed" : "demoted"}`,
    { details: { nodeId } },
  );
}

/**
 * A node that comes with an empty log under a new id has lost the one it had: what that one voted for and acknowledged is
 * forgotten, so it must never take part again. Those left are the majority that keeps it.
 */
async function removeFormer(
  { replicatedLog, log }: MembershipServiceParts,
  { raftId, nodeId }: Member,
): Promise<void> {
  for (const former of replicatedLog.members()) {
    if (former.nodeId !== nodeId || former.raftId === raftId) continue;
    log.warn("a manager lost its log and starts again", { nodeId, former: former.raftId, raftId });
    await replicatedLog.removeMember(former.raftId, { force: true });
  }
}

/** A join that is repeated because its answer was lost finds itself done. */
function isVoter(members: readonly Member[], { raftId, nodeId }: Member): boolean {
  return members.some(
    (one) => one.raftId === raftId && one.nodeId === nodeId && one.learner !== true,
  );
}

/** `:2377` is completed by the address the call came from. */
function completeAddr(addr: string, host: string): string {
  if (!addr.startsWith(":")) return addr;
  return isIPv6(host) ? `[${host}]${addr}` : `${host}${addr}`;
}
