import type { ErrorCode } from "../../core/errors.ts";
import { ClusterError } from "../../core/errors.ts";
import type { ReplicatedLog } from "../../manager/log/replicated-log.ts";

/*
 * What a node answers when it is not what the caller takes it for. Clients match on these words: they are Docker's.
 * Source: moby, daemon/cluster/errors.go.
 */

function refusal(code: ErrorCode, message: string): ClusterError {
  return new ClusterError(code, message);
}

export function notInSwarm(): ClusterError {
  return refusal("Unavailable", "This node is not part of a swarm");
}

export function notInSwarmNorManager(): ClusterError {
  const how =
    'Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
  return refusal("Unavailable", `This node is not a swarm manager. ${how}`);
}

export function notManager(): ClusterError {
  const how =
    "Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.";
  return refusal("Unavailable", `This node is not a swarm manager. ${how}`);
}

export function alreadyInSwarm(): ClusterError {
  const how = 'Use "docker swarm leave" to leave this swarm and join another one.';
  return refusal("Unavailable", `This node is already part of a swarm. ${how}`);
}

/** After a restart, until somebody gives the unlock key. */
export function swarmLocked(): ClusterError {
  const how =
    'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.';
  return refusal("Unavailable", how);
}

export function lockedMustForce(): ClusterError {
  const how =
    "Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message.";
  return refusal("Unavailable", how);
}

export function swarmNotLocked(): ClusterError {
  return refusal("AlreadyExists", "swarm is not locked");
}

export function invalidUnlockKey(): ClusterError {
  return refusal("Unauthenticated", "swarm could not be unlocked: invalid key provided");
}

/** Its managers know it no more, and only its own user can say that they are right. */
export function removedFromSwarm(refusal: string): string {
  return `this node was removed from the swarm (${refusal}): its containers run on until it leaves; run "docker swarm leave" here, then join again`;
}

/** Says with numbers what leaving by force would do. */
export function managerMustForce({
  managers,
  reachable,
  hasLeader,
}: {
  readonly managers: number;
  readonly reachable: number;
  /** Without one, who answers is not known. */
  readonly hasLeader: boolean;
}): ClusterError {
  const what =
    "You are attempting to leave the swarm on a node that is participating as a manager.";
  const how = "Use `--force` to suppress this message.";
  if (managers <= 1) {
    return refusal(
      "Unavailable",
      `${what} Removing the last manager erases all current state of the swarm. ${how}`,
    );
  }
  if (!hasLeader) {
    return refusal(
      "Unavailable",
      `${what} Its ${managers} managers have no leader now: too few of them answer. If this one goes too, the swarm can only be started again from another one, with \`--force-new-cluster\`. ${how}`,
    );
  }
  const left = `Removing this node leaves ${reachable - 1} managers out of ${managers - 1}.`;
  const majority = Math.floor((managers - 1) / 2) + 1;
  const quorum =
    reachable - 1 < majority
      ? ` Without a Raft quorum (${majority}) your swarm will be inaccessible. The only way to restore a swarm that has lost consensus is to reinitialize it with \`--force-new-cluster\`.`
      : " Demote it first ('muster node demote') to leave without force.";
  return refusal("Unavailable", `${what} ${left}${quorum} ${how}`);
}

/**
 * A swarm whose managers answer has lost nothing: a second one beside it would.
 *
 * @throws {ClusterError} `FailedPrecondition` while a leader is known to a group of several.
 */
export function checkMayForce(
  log: Pick<ReplicatedLog, "members" | "leadership"> | undefined,
): void {
  const members = log?.members() ?? [];
  const { leaderRaftId } = log?.leadership() ?? {};
  const leader = members.find(({ raftId }) => raftId === leaderRaftId);
  if (leader === undefined || members.length <= 1) return;
  throw refusal(
    "FailedPrecondition",
    `cannot force a new cluster: the managers have a leader (${leader.nodeId} at ${leader.addr}), so more than half of ` +
      `the ${members.length} answer and nothing is lost: demote those that are gone instead ("muster node demote")`,
  );
}
