import { ClusterError } from "../../../core/errors.ts";
import { findMember, type MemberTable } from "../members.ts";
import type { Member } from "../replicated-log.ts";

/** Who calls, by what it says in its hello. */
export interface Caller {
  readonly raftId: number;
  /** Undefined when nobody can tell. */
  readonly nodeId: string | undefined;
  /** The raft id it takes us for; 0: it does not know. */
  readonly to: number;
  readonly generation: number;
}

/** What the one who is called knows. */
export interface Called {
  readonly self: Pick<Member, "raftId" | "nodeId">;
  readonly table: MemberTable;
  readonly generation: number;
}

/**
 * Why a caller is not heard as the member it says it is; undefined when it is.
 *
 * Who was taken out of the group is told so (`expelled`), and ends its part: it may have a log, and even company, but
 * the group goes on without it. The same for the whole group of before a recovery, which looks for us under the id we
 * had then. A caller that is merely behind is told nothing of the kind: it will hear of our new id from its leader.
 */
export function callerRefusal(
  { self, table, generation }: Called,
  caller: Caller,
): ClusterError | undefined {
  const { raftId, nodeId, to } = caller;
  const refuse = (code: "FailedPrecondition" | "PermissionDenied", why: string, expelled = false) =>
    new ClusterError(code, `refused raft member ${raftId} of node ${nodeId ?? "unknown"}: ${why}`, {
      details: {
        raftId,
        ...(nodeId === undefined ? {} : { nodeId }),
        ...(expelled ? { expelled: generation } : {}),
      },
    });
  if (table.removed.includes(raftId)) {
    return refuse("FailedPrecondition", `id ${raftId} was removed from the group for ever`, true);
  }
  const known = findMember(table, raftId);
  if (known !== undefined && nodeId !== undefined && known.nodeId !== nodeId) {
    return refuse("PermissionDenied", `id ${raftId} belongs to node ${known.nodeId}`);
  }
  if (to === 0 || to === self.raftId) return undefined;
  const isSuperseded = table.removed.includes(to) && caller.generation < generation;
  if (isSuperseded) {
    return refuse(
      "FailedPrecondition",
      "its group was replaced when the swarm was recovered",
      true,
    );
  }
  return refuse("FailedPrecondition", `it takes us for member ${to}, we are ${self.raftId}`);
}
