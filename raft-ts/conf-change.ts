import { assert } from "./assert.ts";
import { decodeConfChanges, encodeConfChanges } from "./conf-change-codec.ts";
import { changedConf, isJoint, isVoter } from "./membership.ts";
import type { Raft } from "./raft.ts";
import { appendOwn, bidFarewell, maybeCommit, maybeServeReads, syncPeers } from "./replication.ts";
import type { Entry } from "./types.ts";

/** Puts a committed membership change into effect here. One from before a restored snapshot is in effect already. */
export function applyConfChange(raft: Raft, entry: Entry): void {
  assert(entry.kind === "confChange", `entry ${entry.index} is no membership change`);
  assert(entry.index <= raft.log.commit, `membership change ${entry.index} is not committed`);
  if (entry.index <= raft.confIndex) return;
  raft.setConf(changedConf(raft.conf, decodeConfChanges(entry.data)), entry.index);

  const { role } = raft;
  if (role.name !== "leader") return;
  syncPeers(raft, role);
  if (!isVoter(raft.conf, raft.id)) bidFarewell(raft, role);
  // Fewer may now be needed for a quorum.
  maybeCommit(raft, role);
  if (raft.role === role) maybeServeReads(raft, role);
}

/** Whoever leads when a joint configuration is in effect proposes to leave it. Source: Raft paper §6. */
export function maybeLeaveJoint(raft: Raft): void {
  const { role } = raft;
  if (role.name !== "leader" || !isJoint(raft.conf)) return;
  if (raft.log.firstUnappliedConf !== undefined) return;
  appendOwn(raft, role, "confChange", encodeConfChanges([]));
}
