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
import type { StoredNode } from "../store/objects.ts";
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
    joinManagers: unary(async ({ raftId, addr }, call) => {
      const { nodeId } = getPeer(call);
      await replicatedLog.readBarrier();
      checkMayJoin(view().nodes.get(nodeId), nodeId);
      const member = { raftId, nodeId, addr: completeAddr(addr, peerHost(call.getPeer())) };
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
      // Refused with the arithmetic when the managers left would be no majority; who leads hands over first.
      if (member !== undefined) await replicatedLog.removeMember(member.raftId);
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

function checkMayJoin(node: StoredNode | undefined, nodeId: string): void {
  if (node?.spec.role === NodeRole.MANAGER) return;
  throw new ClusterError(
    "FailedPrecondition",
    `node ${nodeId} cannot join the managers: it was ${node === undefined ? "removed" : "demoted"}`,
    { details: { nodeId } },
  );
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
