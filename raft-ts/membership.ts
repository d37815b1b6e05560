import { assert } from "./assert.ts";
import type { ConfChange, ConfState, RaftId } from "./types.ts";

/** Nobody: what a member knows before a log or a snapshot told it. */
export const EMPTY_CONF: ConfState = { voters: [], votersOutgoing: [], learners: [] };

/** Between the two halves of a change of several members. */
export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/** Whether `id` may vote, stand for election and be counted. */
export function isVoter(conf: ConfState, id: RaftId): boolean {
  return conf.voters.includes(id) || conf.votersOutgoing.includes(id);
}

/** Everybody entries are sent to. */
export function memberIds(conf: ConfState): Set<RaftId> {
  return new Set([...conf.voters, ...conf.votersOutgoing, ...conf.learners]);
}

/** Why `changes` may not be made to `conf`, or undefined when they may. */
export function objection(conf: ConfState, changes: readonly ConfChange[]): string | undefined {
  if (isJoint(conf)) return "a joint configuration is not yet left";
  if (changes.length === 0) return "no change given";
  const ids = new Set(changes.map((change) => change.raftId));
  if (ids.size < changes.length) return "one member is changed twice";
  for (const change of changes) {
    const detail = objectionToOne(conf, change);
    if (detail !== undefined) return detail;
  }
  if (incoming(conf, changes).voters.length === 0) return "no voter would remain";
  return undefined;
}

function objectionToOne(conf: ConfState, { kind, raftId }: ConfChange): string | undefined {
  if (!Number.isSafeInteger(raftId) || raftId <= 0) return `${raftId} is no raft id`;
  const voter = conf.voters.includes(raftId);
  const learner = conf.learners.includes(raftId);
  switch (kind) {
    case "addLearner":
      return voter || learner ? `member ${raftId} exists` : undefined;
    case "addVoter":
      return voter ? `member ${raftId} is a voter already` : undefined;
    case "remove":
    case "update":
      return voter || learner ? undefined : `member ${raftId} is unknown`;
  }
}

/**
 * What `conf` becomes by a committed change: one change at once, several by a joint configuration, none leaves it.
 *
 * Total, so that every member that applies the same log has the same members.
 * Source: Raft paper §6; thesis §4.1 (one at a time), §4.3 (joint).
 */
export function changedConf(conf: ConfState, changes: readonly ConfChange[]): ConfState {
  if (changes.length === 0) return { ...conf, votersOutgoing: [] };
  const next = incoming(conf, changes);
  assert(next.voters.length > 0, "a membership change would leave no voter");
  if (changes.length === 1) return next;
  assert(!isJoint(conf), "a joint configuration must be left before the next is entered");
  return { ...next, votersOutgoing: conf.voters };
}

function incoming(conf: ConfState, changes: readonly ConfChange[]): ConfState {
  const voters = new Set(conf.voters);
  const learners = new Set(conf.learners);
  for (const { kind, raftId } of changes) {
    if (kind === "update") continue;
    voters.delete(raftId);
    learners.delete(raftId);
    if (kind === "addVoter") voters.add(raftId);
    if (kind === "addLearner") learners.add(raftId);
  }
  return { ...conf, voters: sorted(voters), learners: sorted(learners) };
}

function sorted(ids: Iterable<RaftId>): RaftId[] {
  return [...ids].sort((a, b) => a - b);
}
