import { ClusterError } from "../../core/errors.ts";
import { NodeRole, type NodeSpec, NodeState } from "../../proto/gen/objects.ts";
import { APPROVAL_MS } from "../ca/expired-proof.ts";
import { checkQuorumWithout, findMember } from "../log/members.ts";
import type { Member } from "../log/replicated-log.ts";
import { removeChange, updateChange } from "../store/changes.ts";
import { getNode } from "../store/find.ts";
import { nameOf, type StoredNode } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import type { Control } from "./control.ts";
import { filterNodes } from "./filters.ts";
import { freshView, type LeaderParts } from "./leader-parts.ts";
import { checkNodeSpec } from "./validate/cluster-specs.ts";
import { type ManagerFacts, nodeView } from "./views.ts";

type NodeControl = Pick<
  Control,
  "getNode" | "listNodes" | "updateNode" | "removeNode" | "approveNode"
>;

/** Nodes, as the leader serves them. */
export function nodeControl(parts: LeaderParts): NodeControl {
  return {
    getNode: async (ref) => nodeView(getNode(await freshView(parts), ref), managerFacts(parts)),
    listNodes: async (filters) => {
      const nodes = filterNodes(await freshView(parts), filters);
      const facts = managerFacts(parts);
      return nodes.map((node) => nodeView(node, facts));
    },
    updateNode: async (ref, ifVersion, wanted, force = false) => {
      const spec = checkNodeSpec(wanted);
      const node = await parts.planner.plan((view) => {
        const found = getNode(view, ref);
        checkRoleChange(view, found, spec, { ...managerFacts(parts), force });
        return found;
      });
      const options = { ifVersion, bumpVersion: true };
      await parts.proposer.propose([updateChange("node", node.id, { spec }, options)]);
      if (force && spec.role === NodeRole.WORKER) await removeByForce(parts, node);
      return getNode(parts.view(), node.id);
    },
    removeNode: async (ref, force) => {
      const node = await parts.planner.plan((view) => {
        const found = getNode(view, ref);
        checkNodeRemoval(found, force, managerFacts(parts).members);
        return found;
      });
      await parts.proposer.propose([removeChange("node", node.id)]);
      parts.log.info("a node was removed", { nodeId: node.id });
    },
    approveNode: async (ref) => {
      const { id } = getNode(await freshView(parts), ref);
      const patch = { renewalApprovedUntilMs: parts.clock.nowMs() + APPROVAL_MS };
      await parts.proposer.propose([updateChange("node", id, patch)]);
      parts.log.info("a node may renew its expired certificate", { nodeId: id });
      return getNode(parts.view(), id);
    },
  };
}

/**
 * Whether a node may get the role in `spec`: the managers left must be a majority that answers, unless by force.
 *
 * @throws {ClusterError} `FailedPrecondition`.
 */
export function checkRoleChange(
  view: View,
  node: StoredNode,
  spec: NodeSpec,
  { members, force = false }: ManagerFacts & { readonly force?: boolean },
): void {
  const demoted = node.spec.role === NodeRole.MANAGER && spec.role === NodeRole.WORKER;
  if (!demoted) return;
  const others = [...view.nodes.values()].filter(
    ({ id, spec: { role } }) => role === NodeRole.MANAGER && id !== node.id,
  );
  if (others.length === 0) {
    throw new ClusterError(
      "FailedPrecondition",
      "attempting to demote the last manager of the swarm",
    );
  }
  const raftId = memberIdOf(node, members);
  if (raftId === undefined || force) return;
  const reachable = members.filter((member) => member.reachable !== false);
  const ids = new Set(reachable.map((one) => one.raftId));
  const named = (nodeId: string) => {
    const other = view.nodes.get(nodeId);
    return other === undefined ? nodeId : nameOf({ $case: "node", value: other });
  };
  checkQuorumWithout("demote", { members, removed: [] }, raftId, ids, named);
}

/** Now, by whoever leads: what keeps roles and group in agreement would wait for a majority. */
async function removeByForce(parts: LeaderParts, node: StoredNode): Promise<void> {
  const { replicatedLog, log } = parts;
  const raftId = memberIdOf(node, replicatedLog.members());
  if (raftId === undefined) return;
  try {
    await replicatedLog.removeMember(raftId, { force: true });
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    log.warn("cannot remove a manager at once", { nodeId: node.id, error: error.message });
  }
}

/**
 * Whether a node may be forgotten: never while it is a member of the managers' group, and while it is up only by force.
 *
 * @throws {ClusterError} `FailedPrecondition`.
 */
export function checkNodeRemoval(
  node: StoredNode,
  force: boolean,
  members: readonly Member[],
): void {
  const refuse = (message: string): never => {
    throw new ClusterError("FailedPrecondition", message, { details: { nodeId: node.id } });
  };
  const name = nameOf({ $case: "node", value: node });
  if (node.spec.role === NodeRole.MANAGER || memberIdOf(node, members) !== undefined) {
    refuse(
      `node ${name} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`,
    );
  }
  if (!force && node.status.state === NodeState.READY) {
    refuse(`node ${name} is not down and can't be removed`);
  }
}

/** The raft id by which a node takes part, if it does. */
function memberIdOf(node: StoredNode, members: readonly Member[]): number | undefined {
  const byNode = members.find(({ nodeId }) => nodeId === node.id);
  const byStatus = findMember({ members, removed: [] }, node.manager?.raftId ?? 0);
  return (byNode ?? byStatus)?.raftId;
}

function managerFacts({ replicatedLog }: LeaderParts): ManagerFacts {
  const { leaderRaftId } = replicatedLog.leadership();
  return { leaderRaftId, members: replicatedLog.members() };
}
