import { assert } from "../../core/assert.ts";
import { ClusterError } from "../../core/errors.ts";
import { type NodeAvailability, NodeRole } from "../../proto/gen/objects.ts";
import { type Change, Transaction } from "../../proto/gen/store.ts";
import type { Entry } from "../../raft-ts/types.ts";
import { newNode } from "../ca/ca-service.ts";
import { AppliedState } from "../log/applied-state.ts";
import { EMPTY_MEMBERS, type MemberTable } from "../log/members.ts";
import type { SnapshotHeader } from "../log/snapshot/snapshot-frame.ts";
import type { LoadedSnapshot } from "../log/snapshot/snapshot-store.ts";
import { createChange, updateChange } from "../store/changes.ts";
import { Store } from "../store/store.ts";
import type { View } from "../store/tables.ts";

/** A swarm's state as one manager or one backup holds it, with all that is in it applied. */
export interface SwarmState {
  readonly store: Store;
  readonly members: MemberTable;
  /** Of the last entry in it. */
  readonly index: number;
  readonly term: number;
}

/** The one manager a swarm is to go on with. */
export interface SoleManager {
  readonly nodeId: string;
  /** Never used before. */
  readonly raftId: number;
  /** host:port where others reach it. */
  readonly addr: string;
  /** Of a node the swarm does not know yet; absent: it must know it. */
  readonly joins?: NodeAvailability;
  /** The unlock key its files are under: a backup may know but an older one. */
  readonly lock?: { readonly key: Uint8Array; readonly version: number } | undefined;
}

/** What the log of a recovered swarm begins with: a snapshot, one voter. */
export interface RecoveredSwarm {
  readonly header: SnapshotHeader;
  readonly parts: readonly Uint8Array[];
}

/**
 * What a manager's disk holds.
 *
 * Every entry counts, also those it did not know to be committed: they may have been acknowledged by others. What was
 * never acknowledged may so become true, which is as allowed as that it had been answered a moment later.
 */
export function stateOf(stored: {
  readonly snapshot: LoadedSnapshot | undefined;
  readonly entries: readonly Entry[];
  readonly term: number;
}): SwarmState {
  const store = new Store();
  const applied = new AppliedState(store, { members: EMPTY_MEMBERS, index: 0 });
  if (stored.snapshot !== undefined) applied.restore(stored.snapshot);
  let term = Math.max(stored.term, stored.snapshot?.header.meta.term ?? 0);
  for (const entry of stored.entries) {
    if (entry.index <= applied.index) continue;
    applied.apply(entry);
    term = Math.max(term, entry.term);
  }
  return { store, members: applied.members, index: applied.index, term };
}

/**
 * The state from which `self` goes on alone: the same cluster, CA, tokens, services, networks, ports, nodes and tasks.
 *
 * The group is a new one: a new raft id, every former one removed for ever, a term and an index past all there were, and
 * a generation that workers and former managers know to be the newer. The other managers are workers from now on; those
 * who come back become that by themselves.
 *
 * @param state is used up.
 * @throws {ClusterError} `FailedPrecondition` when it holds no swarm, or not this node.
 */
export function recoverSwarm(state: SwarmState, self: SoleManager, nowMs: number): RecoveredSwarm {
  const { store, members } = state;
  const view = store.view();
  checkSelf(view, self);
  const index = state.index + 1;
  const changes = [...managersChanged(view, self), clusterRaised(view, self, nowMs)];
  const result = store.apply(index, Transaction.encode({ changes, nowMs }).finish());
  assert(result.ok, `the recovered state was refused: ${result.ok ? "" : result.message}`);
  const { nodeId, raftId, addr } = self;
  const removed = new Set([...members.removed, ...members.members.map((member) => member.raftId)]);
  assert(!removed.has(raftId), `raft id ${raftId} was used before`);
  return {
    header: {
      meta: {
        index,
        term: state.term + 1,
        confState: { voters: [raftId], votersOutgoing: [], learners: [] },
      },
      members: { members: [{ raftId, nodeId, addr, learner: false }], removed: [...removed] },
    },
    parts: [...store.snapshot()],
  };
}

function checkSelf(view: View, { nodeId, joins }: SoleManager): void {
  const refuse = (why: string): never => {
    throw new ClusterError("FailedPrecondition", `cannot recover the swarm: ${why}`);
  };
  if (view.cluster === undefined)
    refuse("this state holds none: its manager had only begun to join");
  if (joins === undefined && view.nodes.get(nodeId) === undefined) {
    refuse(`node ${nodeId} is not in this state: it is another node's or another swarm's`);
  }
}

/** Their status stays: those who live have the grace to find us, and nothing of theirs is replaced meanwhile. */
function managersChanged(view: View, self: SoleManager): Change[] {
  const { nodeId, raftId, addr, joins } = self;
  const changes: Change[] = [];
  if (joins !== undefined) {
    const node = newNode({ nodeId, role: NodeRole.MANAGER, availability: joins });
    changes.push(createChange("node", { ...node, manager: { raftId, addr } }));
  }
  for (const { id, spec, role, manager } of view.nodes.values()) {
    if (id === nodeId) {
      const patch = {
        spec: { ...spec, role: NodeRole.MANAGER },
        role: NodeRole.MANAGER,
        manager: { raftId, addr },
      };
      changes.push(updateChange("node", id, patch, { bumpVersion: true }));
    } else if (
      spec.role === NodeRole.MANAGER ||
      role === NodeRole.MANAGER ||
      manager !== undefined
    ) {
      const patch = {
        spec: { ...spec, role: NodeRole.WORKER },
        role: NodeRole.WORKER,
        manager: undefined,
      };
      changes.push(updateChange("node", id, patch, { bumpVersion: true }));
    }
  }
  return changes;
}

function clusterRaised({ cluster }: View, { lock }: SoleManager, nowMs: number): Change {
  assert(cluster !== undefined, "the state holds a cluster");
  const generation = Math.max(cluster.generation + 1, nowMs);
  if (lock === undefined || lock.version <= (cluster.unlockKey?.version ?? 0)) {
    return updateChange("cluster", cluster.id, { generation });
  }
  const spec = { ...cluster.spec, autoLockManagers: lock.key.length > 0 };
  const unlockKey = { key: Buffer.from(lock.key), version: lock.version };
  return updateChange("cluster", cluster.id, { generation, spec, unlockKey });
}
