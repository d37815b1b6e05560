import type { View } from "../../../manager/store/tables.ts";
import { NodeRole } from "../../../proto/gen/objects.ts";
import type { World } from "./world.ts";

/** EventuallyAsDesired, of roles and of the managers' group. @returns what is not yet so. */
export function whatRoleIsMissing({ leader, nodes }: World, view: View): string | undefined {
  const members = leader?.manager.running?.log.members() ?? [];
  let managers = 0;
  for (const { nodeId, role, manager, host } of nodes) {
    const node = view.nodes.get(nodeId);
    if (node === undefined) return `${nodeId} is forgotten`;
    if (node.spec.role !== role || node.role !== role)
      return `${nodeId} has not the role it is to have`;
    if (role === NodeRole.WORKER) {
      if (manager.running !== undefined) return `${nodeId} is a worker and runs a manager`;
      continue;
    }
    managers++;
    const member = members.find(({ raftId }) => raftId === manager.raftId);
    if (member === undefined || member.learner === true) return `${nodeId} has no vote`;
    if (!host.isUp || manager.running === undefined) return `${nodeId} runs no manager`;
    if (node.manager?.raftId !== member.raftId) return `${nodeId} is recorded as another member`;
  }
  return members.length === managers ? undefined : "the group has members that are no managers";
}
